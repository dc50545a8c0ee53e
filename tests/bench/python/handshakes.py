"""What a key in a token costs an ssl.SSLContext: a device that hsmtls_with_device made, its EC key, and a software key.

In each round one after the other: handshakes per second (TLS 1.3, both ends in this process, back to back), and the
milliseconds that asyncio takes to connect to a server in a thread. One JSON line with the median of the rounds.
"""

import asyncio
import json
import pathlib
import ssl
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))

import hsmtls  # noqa: E402
from support import file, https_server, server_context, shake_hands, uri  # noqa: E402

ROUNDS = 7
HANDSHAKES = 100
CONNECTIONS = 20


def handshakes_per_second(context):
    server, started = server_context(ssl.TLSVersion.TLSv1_3), time.perf_counter()
    for _ in range(HANDSHAKES):
        shake_hands(context, server)
    return HANDSHAKES / (time.perf_counter() - started)


def connect_ms(context, port):
    async def connect():
        started = time.perf_counter()
        _, writer = await asyncio.open_connection("localhost", port, ssl=context)
        took = time.perf_counter() - started
        writer.close()
        return took

    async def main():
        return [await connect() for _ in range(CONNECTIONS)]

    return statistics.median(asyncio.run(main())) * 1000


def main():
    software = ssl.create_default_context(cafile=file("ca.pem"))
    software.load_cert_chain(file("server.pem"), file("server.key"))
    contexts = {"hsmtls": hsmtls.Identity.open(uri("ec")).ssl_context(cafile=file("ca.pem")), "software": software}
    rounds = []
    with https_server() as server:
        for _ in range(ROUNDS):
            rounds.append({name: {"handshakes_per_second": handshakes_per_second(context),
                                  "connect_ms": connect_ms(context, server.server_port)}
                           for name, context in contexts.items()})
    print(json.dumps({"runtime": f"Python {sys.version.split()[0]}", "key": "EC P-256", **{
        name: {what: round(statistics.median(one[name][what] for one in rounds), 2) for what in rounds[0][name]}
        for name in contexts}}))


if __name__ == "__main__":
    main()
