"""Contexts: the interpreter's own ssl module shakes hands as the identity, as client and as server."""

import ssl
import threading
import unittest

import hsmtls
from support import (
    KINDS, VERSIONS, Refused, TestCase, chaos, drop_sessions, file, for_each, name_of, server_context, shake_hands)


class Client(TestCase):
    @for_each(kind=KINDS, version=VERSIONS)
    def test_shakes_hands_with_a_peer_that_trusts_the_root_alone(self, kind, version):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        client, server = shake_hands(context, server_context(version))
        self.assertEqual(client.version(), "TLSv1." + version.name[-1])
        self.assertEqual(name_of(server.getpeercert()), f"device-{kind}")

    @for_each(kind=KINDS, version=VERSIONS)
    def test_shakes_hands_again_after_the_token_dropped_its_sessions(self, kind, version):
        device = self.open(kind)
        context = device.ssl_context(cafile=file("ca.pem"))
        shake_hands(context, server_context(version))
        before = device.counters
        drop_sessions()
        shake_hands(context, server_context(version))
        self.assertEqual(device.counters.restored, before.restored + 1)

    @for_each(kind=KINDS)
    def test_fails_while_the_token_is_away_and_not_when_it_is_back(self, kind):
        device = self.open(kind, deadline=0.2)
        context = device.ssl_context(cafile=file("ca.pem"))
        chaos("remove-token")
        with self.assertRaises(Refused):
            shake_hands(context, server_context())
        self.assertEqual((type(device.last_error), device.last_error.code), (hsmtls.TokenError, "TOKEN_LOST"))
        chaos("return-token")
        shake_hands(context, server_context())

    @for_each(kind=KINDS)
    def test_shakes_hands_in_many_threads_with_one_context(self, kind):
        context, server = self.open(kind).ssl_context(cafile=file("ca.pem")), server_context()
        names = []

        def shake():
            for _ in range(8):
                names.append(name_of(shake_hands(context, server)[1].getpeercert()))

        threads = [threading.Thread(target=shake) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(names, [f"device-{kind}"] * 32)

    def test_is_a_context_as_create_default_context_makes_it(self):
        context, default = self.open("ec").ssl_context(cafile=file("ca.pem")), ssl.create_default_context()
        self.assertIs(type(context), ssl.SSLContext)
        for setting in ("verify_mode", "check_hostname", "verify_flags", "options", "minimum_version"):
            self.assertEqual(getattr(context, setting), getattr(default, setting), setting)
        self.assertEqual(context.verify_mode, ssl.CERT_REQUIRED)

    def test_refuses_a_peer_that_nobody_trusted_has_signed(self):
        context = self.open("ec").ssl_context()
        with self.assertRaises(Refused) as refused:
            shake_hands(context, server_context())
        self.assertIsInstance(refused.exception.client, ssl.SSLCertVerificationError)

    def test_refuses_a_peer_of_another_name(self):
        context = self.open("ec").ssl_context(cafile=file("ca.pem"))
        with self.assertRaises(Refused) as refused:
            shake_hands(context, server_context(), server_hostname="elsewhere.example")
        self.assertIn("elsewhere.example", refused.exception.client.verify_message)

    @for_each(version=VERSIONS)
    def test_a_client_without_an_identity_is_refused_by_the_peer(self, version):
        with self.assertRaises(Refused) as refused:
            shake_hands(ssl.create_default_context(cafile=file("ca.pem")), server_context(version))
        self.assertEqual(refused.exception.server.reason, "PEER_DID_NOT_RETURN_A_CERTIFICATE")

    def test_takes_trust_from_text(self):
        with open(file("ca.pem"), encoding="ascii") as ca:
            context = self.open("ec").ssl_context(cadata=ca.read())
        shake_hands(context, server_context())

    def test_a_missing_trust_file_is_what_the_ssl_module_makes_of_it(self):
        with self.assertRaises(FileNotFoundError):
            self.open("ec").ssl_context(cafile="/nonexistent/ca.pem")


class Server(TestCase):
    @for_each(kind=KINDS, version=VERSIONS)
    def test_serves_clients_that_have_a_certificate(self, kind, version):
        context = self.open(kind).ssl_context(ssl.Purpose.CLIENT_AUTH, cafile=file("ca.pem"))
        context.minimum_version = context.maximum_version = version
        client_context = ssl.create_default_context(cafile=file("ca.pem"))
        client_context.load_cert_chain(file("server.pem"), file("server.key"))
        client, server = shake_hands(client_context, context, server_hostname=f"device-{kind}")
        self.assertEqual(name_of(client.getpeercert()), f"device-{kind}")
        self.assertEqual(name_of(server.getpeercert()), "localhost")

    def test_refuses_clients_without_a_certificate(self):
        context = self.open("ec").ssl_context(ssl.Purpose.CLIENT_AUTH, cafile=file("ca.pem"))
        with self.assertRaises(Refused) as refused:
            shake_hands(ssl.create_default_context(cafile=file("ca.pem")), context, server_hostname="device-ec")
        self.assertEqual(refused.exception.server.reason, "PEER_DID_NOT_RETURN_A_CERTIFICATE")

    def test_without_trust_of_its_own_goes_by_the_systems(self):
        context = self.open("ec").ssl_context(ssl.Purpose.CLIENT_AUTH)
        client_context = ssl.create_default_context(cafile=file("ca.pem"))
        client_context.load_cert_chain(file("server.pem"), file("server.key"))
        with self.assertRaises(Refused) as refused:
            shake_hands(client_context, context, server_hostname="device-ec")
        self.assertIsInstance(refused.exception.server, ssl.SSLCertVerificationError)


class Apply(TestCase):
    def test_changes_nothing_but_the_identity(self):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        context.set_alpn_protocols(["mqtt"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.open("rsa").apply(context)
        client, server = shake_hands(context, server_context())
        self.assertEqual((client.version(), name_of(server.getpeercert())), ("TLSv1.2", "device-rsa"))

    def test_again_with_another_key_of_its_kind_presents_that(self):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        self.open("ec", certificate=file("ec.pem")).apply(context)
        self.open("ec").apply(context)
        shake_hands(context, server_context())

    def test_takes_no_context_that_has_another_kind_of_key(self):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        self.open("ec").apply(context)
        with self.assert_fails(hsmtls.ConfigError, "BAD_ARGUMENT", "another kind of key"):
            self.open("rsa").apply(context)

    def test_takes_nothing_but_a_context(self):
        for wrong in (None, object(), ssl, ssl.SSLContext):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                self.open("ec").apply(wrong)


if __name__ == "__main__":
    unittest.main()
