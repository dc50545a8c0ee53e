"""asyncio's own streams, as client and as server."""

import asyncio
import ssl
import unittest

from support import KINDS, VERSIONS, TestCase, drop_sessions, file, for_each, name_of, server_context


async def answer_with_the_name(reader, writer):
    """Sends back the client's name and what it sent."""
    name = name_of(writer.get_extra_info("peercert"))
    writer.write(f"{name} ".encode() + await reader.readline())
    writer.close()


async def talk(context, port, name="localhost"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    writer.write(b"21.5\n")
    answer = await reader.read()
    writer.close()
    return answer


class Streams(TestCase):
    def serve(self, context, client):
        """Runs `client(port)` against a server with that context."""

        async def main():
            server = await asyncio.start_server(answer_with_the_name, "127.0.0.1", 0, ssl=context)
            async with server:
                return await client(server.sockets[0].getsockname()[1])

        return asyncio.run(main())

    @for_each(kind=KINDS, version=VERSIONS)
    def test_talk_and_do_so_again_after_the_token_dropped_its_sessions(self, kind, version):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))

        async def client(port):
            first = await talk(context, port)
            drop_sessions()
            return first, await talk(context, port)

        self.assertEqual(self.serve(server_context(version), client), (f"device-{kind} 21.5\n".encode(),) * 2)

    @for_each(kind=KINDS)
    def test_are_served_by_an_identity(self, kind):
        server = self.open(kind).ssl_context(ssl.Purpose.CLIENT_AUTH, cafile=file("ca.pem"))
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        answer = self.serve(server, lambda port: talk(context, port, f"device-{kind}"))
        self.assertEqual(answer, f"device-{kind} 21.5\n".encode())

    def test_refuse_a_server_of_another_name(self):
        context = self.open("ec").ssl_context(cafile=file("ca.pem"))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.serve(server_context(), lambda port: talk(context, port, "elsewhere.example"))


if __name__ == "__main__":
    unittest.main()
