"""paho-mqtt, unmodified, with a real broker that wants a certificate."""

import json
import queue
import ssl
import subprocess
import sys
import unittest

from support import (
    EXAMPLES, KINDS, TIMEOUT_S, VERSIONS, Broker, TestCase, back_end, drop_sessions, file, for_each, need, uri)

mqtt = need("paho.mqtt.client", "paho-mqtt (python3-paho-mqtt)")


class Paho(TestCase):
    def exchange(self, context, port):
        """Connects, subscribes, publishes, and returns what comes back."""
        client, received = mqtt.Client(client_id="device"), queue.Queue()
        client.tls_set_context(context)
        client.on_connect = lambda *_: client.subscribe("devices/telemetry", qos=1)
        client.on_subscribe = lambda *_: client.publish("devices/telemetry", "21.5" * 20_000, qos=1)
        client.on_message = lambda client, userdata, message: received.put(message.payload)
        client.connect("localhost", port)
        client.loop_start()
        try:
            return received.get(timeout=TIMEOUT_S)
        finally:
            client.disconnect()
            client.loop_stop()

    @for_each(kind=KINDS, version=VERSIONS)
    def test_publishes_and_receives_and_does_so_again_after_the_token_dropped_its_sessions(self, kind, version):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        context.minimum_version = context.maximum_version = version
        with Broker() as broker:
            self.assertEqual(self.exchange(context, broker.port), b"21.5" * 20_000)
            drop_sessions()
            self.assertEqual(self.exchange(context, broker.port), b"21.5" * 20_000)
            self.assertTrue(broker.saw(f"u'device-{kind}'"))

    def test_is_refused_without_an_identity(self):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3, paho hears of it only in its own thread
        with Broker() as broker, self.assertRaises(ssl.SSLError):
            self.exchange(context, broker.port)

    def test_refuses_a_broker_that_it_does_not_trust(self):
        with Broker() as broker, self.assertRaises(ssl.SSLCertVerificationError):
            self.exchange(self.open("ec").ssl_context(), broker.port)

    def test_says_with_the_identity_why_it_could_not_sign(self):
        device = self.open("ec")
        context = device.ssl_context(cafile=file("ca.pem"))
        device.close()
        with Broker() as broker, self.assertRaises(ssl.SSLError):
            self.exchange(context, broker.port)
        self.assertEqual(device.last_error.code, "IDENTITY_CLOSED")


class Examples(TestCase):
    @for_each(kind=KINDS)
    def test_the_quick_start_publishes(self, kind):
        text = (EXAMPLES / "quick_start.py").read_text(encoding="ascii")
        self.assertLessEqual(len(text.splitlines()), 10)
        with Broker() as broker:
            for written, here in (("object=device-key", f"object={kind}"), ("ca.pem", file("ca.pem")),
                                  ("broker.example", "localhost"), ("8883", str(broker.port))):
                self.assertEqual(text.count(written), 1)
                text = text.replace(written, here)
            topic = "devices/device-0001/telemetry"
            with back_end(broker.port, topic, "devices/device-0001/commands") as got:
                self.run_program("-c", text)
                self.assertEqual(got.get(timeout=TIMEOUT_S), b"21.5")
            self.assertTrue(broker.saw(f"u'device-{kind}'"))

    @for_each(kind=KINDS)
    def test_sends_telemetry_and_receives_a_command(self, kind):
        with Broker() as broker:
            topics = ("devices/device-0001/telemetry", "devices/device-0001/commands")
            with back_end(broker.port, *topics) as got:
                said = self.run_program(
                    EXAMPLES / "telemetry_paho.py", uri(kind), file("ca.pem"), "localhost", broker.port)
                self.assertEqual(got.get(timeout=TIMEOUT_S), b"21.5")
            self.assertIn("devices/device-0001/commands b'on'", said)
            self.assertTrue(broker.saw(f"u'device-{kind}'"))

    @for_each(kind=KINDS)
    def test_publishes_again_after_the_token_dropped_its_sessions(self, kind):
        arguments = ("publish_paho.py", uri(kind), file("ca.pem"))
        with Broker() as broker, subprocess.Popen(
                [sys.executable, EXAMPLES / arguments[0], *arguments[1:], str(broker.port), "demo", "devices/demo"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            self.assertEqual(json.loads(program.stdout.readline())["event"], "published")
            drop_sessions()
            program.stdin.write("again\n")
            program.stdin.flush()
            report = json.loads(program.stdout.readline())
            self.assertEqual((report["client"], report["event"]), ("paho-mqtt", "published"))
            self.assertGreater(report["connect_ms"], 0)
            program.stdin.close()
            self.assertEqual(program.wait(TIMEOUT_S), 0)


if __name__ == "__main__":
    unittest.main()
