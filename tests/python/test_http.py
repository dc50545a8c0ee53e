"""http.client and urllib, of the standard library."""

import http.client
import ssl
import unittest
import urllib.request

from support import KINDS, VERSIONS, TestCase, drop_sessions, file, for_each, https_server


class Http(TestCase):
    @for_each(kind=KINDS, version=VERSIONS)
    def test_http_client_gets_and_does_so_again_after_the_token_dropped_its_sessions(self, kind, version):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        with https_server(version) as server:
            for _ in range(2):
                connection = http.client.HTTPSConnection("localhost", server.server_port, context=context)
                connection.request("GET", "/")
                self.assertEqual(connection.getresponse().read(), f"device-{kind}".encode())
                connection.close()
                drop_sessions()
        self.assertEqual(server.failures, [])

    @for_each(kind=KINDS)
    def test_urllib_gets(self, kind):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        with https_server() as server:
            with urllib.request.urlopen(f"https://localhost:{server.server_port}/", context=context) as answer:
                self.assertEqual(answer.read(), f"device-{kind}".encode())

    def test_is_refused_without_an_identity(self):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        with https_server(ssl.TLSVersion.TLSv1_2) as server:
            with self.assertRaises(ssl.SSLError):
                http.client.HTTPSConnection("localhost", server.server_port, context=context).request("GET", "/")
        self.assertEqual(server.failures[0].reason, "PEER_DID_NOT_RETURN_A_CERTIFICATE")


if __name__ == "__main__":
    unittest.main()
