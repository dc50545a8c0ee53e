"""aiohttp, unmodified."""

import asyncio
import unittest

import hsmtls
from support import EXAMPLES, KINDS, VERSIONS, TestCase, drop_sessions, file, for_each, https_server, need, uri

aiohttp = need("aiohttp", "aiohttp (python3-aiohttp)")


class Aiohttp(TestCase):
    async def post(self, context, port):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            async with session.post(f"https://localhost:{port}/", data=b"21.5") as answer:
                return await answer.text()

    @for_each(kind=KINDS, version=VERSIONS)
    def test_posts_and_does_so_again_after_the_token_dropped_its_sessions(self, kind, version):
        async def main(port):
            with await hsmtls.Identity.open_async(uri(kind)) as device:
                context = device.ssl_context(cafile=file("ca.pem"))
                self.assertEqual(await self.post(context, port), f"device-{kind} 21.5")
                drop_sessions()
                self.assertEqual(await self.post(context, port), f"device-{kind} 21.5")

        with https_server(version) as server:
            asyncio.run(main(server.server_port))
        self.assertEqual(server.failures, [])

    def test_posts_at_once_over_many_connections(self):
        context = self.open("ec").ssl_context(cafile=file("ca.pem"))

        async def main(port):
            return await asyncio.gather(*[self.post(context, port) for _ in range(16)])

        with https_server() as server:
            self.assertEqual(asyncio.run(main(server.server_port)), ["device-ec 21.5"] * 16)

    def test_refuses_a_server_that_it_does_not_trust(self):
        with https_server() as server, self.assertRaises(aiohttp.ClientConnectorCertificateError):
            asyncio.run(self.post(self.open("ec").ssl_context(), server.server_port))

    def test_is_refused_when_the_identity_is_closed(self):
        device = self.open("ec")
        context = device.ssl_context(cafile=file("ca.pem"))
        device.close()
        with https_server() as server, self.assertRaises(aiohttp.ClientConnectorSSLError):
            asyncio.run(self.post(context, server.server_port))
        self.assertEqual(device.last_error.code, "IDENTITY_CLOSED")

    @for_each(kind=KINDS)
    def test_the_example_posts_telemetry_and_prints_the_answer(self, kind):
        with https_server() as server:
            said = self.run_program(EXAMPLES / "telemetry_aiohttp.py", uri(kind), file("ca.pem"),
                                    f"https://localhost:{server.server_port}/telemetry")
        self.assertEqual(said, f'200 device-{kind} {{"temperature": 21.5}}\n')


if __name__ == "__main__":
    unittest.main()
