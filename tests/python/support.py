"""The device that hsmtls_with_device made, and peers for it.

Every file here is a program of its own: a ctest test that hsmtls_with_device starts (tests/support/with_device.cpp says
what is in the token and in the folder). One that needs a package that is not there is skipped by name.
"""

import contextlib
import functools
import http.server
import importlib
import itertools
import os
import pathlib
import queue
import shutil
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import unittest

import hsmtls

FOLDER = pathlib.Path(os.environ["HSMTLS_TEST_FOLDER"])
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"
KINDS = ("ec", "rsa")
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
TIMEOUT_S = 30


def skip(reason):
    print(f"skipped: {reason}", flush=True)
    sys.exit(77)


def need(module, package):
    """The module, or the end of this test program: skipped."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return skip(f"{package} is not installed")


def file(name):
    return str(FOLDER / name)


def uri(kind):
    return f"pkcs11:token=edge;object={kind}"


def chaos(command):
    """Tells the module in front of SoftHSM how to misbehave (core/chaos/README.md)."""
    with open(os.environ["HSMTLS_CHAOS_FILE"], "a", encoding="ascii") as commands:
        commands.write(command + "\n")


def drop_sessions():
    """The token ends all sessions of this process and its children at their next call, as after a reset."""
    chaos("drop-sessions")


def for_each(**axes):
    """Makes a test one for each combination of the axes' values, which are its arguments."""

    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for values in itertools.product(*axes.values()):
                with self.subTest(**{name: str(value) for name, value in zip(axes, values)}):
                    test(self, *values)
                self.doCleanups()

        return run

    return decorate


class TestCase(unittest.TestCase):
    def open(self, kind, **options):
        """An identity that is closed at the end of the test."""
        identity = hsmtls.Identity.open(uri(kind), **options)
        self.addCleanup(identity.close)
        return identity

    @contextlib.contextmanager
    def assert_fails(self, cls, code, *words):
        """The block raises an error of exactly this class, with this code, and these words in its text."""
        with self.assertRaises(cls) as raised:
            yield raised
        error = raised.exception
        self.assertEqual((type(error), error.code), (cls, code))
        for word in words:
            self.assertIn(word, str(error))

    def run_as_device(self, program, kind="ec", times=1):
        """Runs a program that has an open identity and its context."""
        beginning = f"""
            import os, ssl, sys, threading
            import hsmtls
            from support import *
            device = hsmtls.Identity.open(uri({kind!r}))
            context = device.ssl_context(cafile=file("ca.pem"))
            """
        path = FOLDER / "program.py"
        path.write_text(textwrap.dedent(beginning) + textwrap.dedent(program), encoding="ascii")
        here = os.path.dirname(__file__)
        for _ in range(times):
            self.run_program(path, env={**os.environ, "PYTHONPATH": f"{here}:{os.environ['PYTHONPATH']}"})

    def run_program(self, *arguments, **options):
        """Runs Python to its end, which is 0 and without a word on stderr; returns what it printed."""
        ended = subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S, **options)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        return ended.stdout


def server_context(version=None):
    """A peer with a software key that wants a certificate, and trusts the root alone."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=file("ca.pem"))
    context.load_cert_chain(file("server.pem"), file("server.key"))
    context.verify_mode = ssl.CERT_REQUIRED
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def name_of(certificate):
    return dict(name for names in certificate["subject"] for name in names)["commonName"]


class Refused(Exception):
    """A handshake that failed: the errors of both ends, None for an end that saw nothing wrong."""

    def __init__(self, client, server):
        super().__init__(f"client: {client}; server: {server}")
        self.client, self.server = client, server


def shake_hands(client_context, server, server_hostname="localhost"):
    """Both ends, back to back, after their handshake."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = {
        "client": client_context.wrap_bio(to_client, to_server, server_hostname=server_hostname),
        "server": server.wrap_bio(to_server, to_client, server_side=True)}
    errors = {"client": None, "server": None}
    busy = ["client", "server"]
    for name in (name for _ in range(8) for name in ("client", "server")):
        if name in busy:
            try:
                ends[name].do_handshake()
                busy.remove(name)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                errors[name] = error
                busy.remove(name)
    # A client of TLS 1.3 hears only now that it was refused.
    if errors["server"] and not errors["client"]:
        with contextlib.suppress(ssl.SSLWantReadError):
            try:
                ends["client"].read(1)
            except ssl.SSLError as error:
                errors["client"] = error
    if any(errors.values()):
        raise Refused(**errors)
    return ends["client"], ends["server"]


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the name in the client's certificate, and with what was posted."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = name_of(self.connection.getpeercert()).encode() + (b" " + body if body else b"")
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    """Shakes hands on the connection's own thread, and keeps what went wrong there."""

    daemon_threads = True

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.failures = []

    def finish_request(self, request, address):
        with self.context.wrap_socket(request, server_side=True) as secured:
            self.RequestHandlerClass(secured, address, self)

    def handle_error(self, request, address):
        self.failures.append(sys.exc_info()[1])


@contextlib.contextmanager
def https_server(version=None):
    """An HTTPS server at localhost that wants a certificate; `server_port` says where."""
    with _Server(server_context(version)) as server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Broker:
    """A mosquitto at localhost that wants a certificate, whose name is the user's; `port` says where.

    A context manager. `saw(text)` waits until the broker has logged that.
    """

    def __init__(self):
        self.program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        if self.program is None:
            skip("mosquitto is not installed")
        self.lines = []
        self.logged = threading.Condition()

    def __enter__(self):
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            self._start()
            if self.saw(" running"):
                return self
            self.__exit__()  # somebody took the port between the two steps: another one
        raise RuntimeError("\n".join(self.lines))

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)
        self.reader.join(TIMEOUT_S)
        self.process.stderr.close()

    def saw(self, text):
        with self.logged:
            return self.logged.wait_for(
                lambda: any(text in line for line in self.lines) or self.process.poll() is not None, TIMEOUT_S
            ) and any(text in line for line in self.lines)

    def _start(self):
        configuration = FOLDER / f"mosquitto-{self.port}.conf"
        lines = [
            f"listener {self.port} 127.0.0.1", f"cafile {file('ca.pem')}", f"certfile {file('server.pem')}",
            f"keyfile {file('server.key')}", "require_certificate true", "use_identity_as_username true",
            "persistence false", "log_type all", "log_dest stderr"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it becomes the user mosquitto, who cannot read the key file
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.process = subprocess.Popen([self.program, "-c", str(configuration)], stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.logged:
                self.lines.append(line)
                self.logged.notify_all()
        self.process.wait()
        with self.logged:
            self.logged.notify_all()


@contextlib.contextmanager
def back_end(port, telemetry, commands):
    """A paho client that answers each message on a topic with "on" on another; gives the queue of what it got."""
    import paho.mqtt.client as mqtt

    client, got, ready = mqtt.Client(client_id="back-end"), queue.Queue(), threading.Event()
    client.tls_set(file("ca.pem"), file("server.pem"), file("server.key"))
    client.on_connect = lambda *_: client.subscribe(telemetry, qos=1)
    client.on_subscribe = lambda *_: ready.set()

    def answer(client, userdata, message):
        got.put(message.payload)
        client.publish(commands, b"on", qos=1)

    client.on_message = answer
    client.connect("localhost", port)
    client.loop_start()
    try:
        assert ready.wait(TIMEOUT_S)
        yield got
    finally:
        client.disconnect()
        client.loop_stop()
