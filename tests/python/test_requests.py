"""requests, unmodified, by an adapter that hands the context over."""

import unittest

from support import EXAMPLES, KINDS, VERSIONS, TestCase, drop_sessions, file, for_each, https_server, need, uri

requests = need("requests", "requests (python3-requests)")


class IdentityAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, context):
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)


class Requests(TestCase):
    def session(self, context):
        session = requests.Session()
        self.addCleanup(session.close)
        session.mount("https://", IdentityAdapter(context))
        # requests adds to the context what it verifies with: True would be the roots of the Web.
        session.verify = file("ca.pem")
        return session

    @for_each(kind=KINDS, version=VERSIONS)
    def test_posts_and_does_so_again_after_the_token_dropped_its_sessions(self, kind, version):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        with https_server(version) as server:
            for _ in range(2):
                with self.session(context) as session:
                    answer = session.post(f"https://localhost:{server.server_port}/", data=b"21.5")
                    self.assertEqual(answer.content, f"device-{kind} 21.5".encode())
                drop_sessions()
        self.assertEqual(server.failures, [])

    def test_refuses_a_server_that_it_does_not_trust(self):
        with https_server() as server, self.assertRaises(requests.exceptions.SSLError):
            session = self.session(self.open("ec").ssl_context())
            session.verify = True
            session.get(f"https://localhost:{server.server_port}/")

    def test_is_refused_when_the_identity_is_closed(self):
        device = self.open("ec")
        context = device.ssl_context(cafile=file("ca.pem"))
        device.close()
        with https_server() as server, self.assertRaises(requests.exceptions.SSLError):
            self.session(context).get(f"https://localhost:{server.server_port}/")
        self.assertEqual(device.last_error.code, "IDENTITY_CLOSED")

    @for_each(kind=KINDS)
    def test_the_example_posts_telemetry_and_prints_the_answer(self, kind):
        with https_server() as server:
            said = self.run_program(EXAMPLES / "telemetry_requests.py", uri(kind), file("ca.pem"),
                                    f"https://localhost:{server.server_port}/telemetry")
        self.assertEqual(said, f'200 device-{kind} {{"temperature": 21.5}}\n')


if __name__ == "__main__":
    unittest.main()
