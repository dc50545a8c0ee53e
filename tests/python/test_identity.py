"""The identity: how it is opened, what it says of itself, how long it lives."""

import asyncio
import gc
import os
import pathlib
import ssl
import threading
import unittest
import weakref

import hsmtls
from support import KINDS, Refused, TestCase, chaos, file, for_each, server_context, shake_hands, uri


def pin():
    return pathlib.Path(file("pin")).read_text(encoding="ascii").strip()


class Opening(TestCase):
    @for_each(kind=KINDS)
    def test_says_what_was_opened(self, kind):
        device = self.open(kind)
        info = device.info
        self.assertEqual(
            (info.key_type, info.key_bits, info.key_name, info.num_certificates),
            (hsmtls.KeyType.EC, 256, "EC P-256", 2) if kind == "ec" else (hsmtls.KeyType.RSA, 2048, "RSA 2048", 2))
        self.assertIn(f"object={kind}", info.key_uri)
        self.assertIn(hsmtls.KeyProperties.LOCAL, info.properties)
        self.assertIn(info.key_uri, repr(device))
        self.assertEqual(device.certificate_pem.count("BEGIN CERTIFICATE"), 2)

    def test_takes_the_certificate_from_a_file_from_text_or_from_the_token(self):
        chain = pathlib.Path(file("ec-chain.pem"))
        forms = (None, chain, str(chain), chain.read_text(encoding="ascii"), "pkcs11:token=edge;id=%01")
        self.assertEqual(len({self.open("ec", certificate=form).certificate_pem for form in forms}), 1)

    def test_takes_the_pin_in_each_form(self):
        del os.environ["HSMTLS_PIN_SOURCE"]
        self.addCleanup(os.environ.__setitem__, "HSMTLS_PIN_SOURCE", "file:" + file("pin"))
        for options in ({"pin": pin()}, {"pin": pin().encode()}, {"pin": lambda label: pin()},
                        {"pin_source": "file:" + file("pin")}):
            self.open("ec", **options).close()

    def test_asks_a_function_for_the_pin_of_a_token_on_the_thread_that_opens(self):
        asked = []

        def ask(label):
            asked.append((label, threading.current_thread()))
            return pin()

        self.open("ec", pin=ask)
        self.assertEqual(asked, [("edge", threading.current_thread())])

    def test_raises_what_the_pin_function_raises(self):
        class KeyboardIsGone(Exception):
            pass

        def ask(label):
            raise KeyboardIsGone(label)

        with self.assertRaisesRegex(KeyboardIsGone, "edge"):
            self.open("ec", pin=ask)
        with self.assertRaises(TypeError):
            self.open("ec", pin=lambda label: 1234)
        with self.assertRaisesRegex(ValueError, "too long"):
            self.open("ec", pin=lambda label: "1" * 100_000)

    def test_shows_no_pin_that_is_no_unicode(self):
        with self.assertRaises(ValueError) as caught:
            self.open("ec", pin="secret-\udc80")
        self.assertNotIn("secret", repr(caught.exception))
        self.assertNotIsInstance(caught.exception, UnicodeError)

    def test_a_pin_function_may_have_none(self):
        with self.assert_fails(hsmtls.TokenError, "PIN_REQUIRED"):
            self.open("ec", pin=lambda label: None)

    def test_requires_properties_of_the_key(self):
        self.open("ec", require=hsmtls.KeyProperties.LOCAL | hsmtls.KeyProperties.NEVER_EXTRACTABLE)

    def test_lets_other_threads_run_meanwhile(self):
        # The token answers when another thread says so, which could not if this one held the interpreter's lock.
        opening = threading.Event()
        other = threading.Thread(target=lambda: opening.wait() and chaos("clear"))
        other.start()
        chaos("hang C_FindObjectsInit 1")
        opening.set()
        self.open("ec", deadline=20)
        other.join()

    def test_opens_in_several_threads_at_once(self):
        opened = []
        threads = [threading.Thread(target=lambda kind=kind: opened.append(self.open(kind))) for kind in KINDS * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(opened), 8)


    def test_fails_at_the_deadline_where_the_token_does_not_come_back(self):
        chaos("fail C_OpenSession * CKR_DEVICE_REMOVED")
        self.addCleanup(chaos, "clear")
        with self.assert_fails(hsmtls.TokenError, "TOKEN_LOST"):
            self.open("rsa", deadline=0.1)


class OpeningAsynchronously(TestCase):
    def test_does_not_block_the_loop(self):
        async def main():
            loop_went_on = threading.Event()

            def ask(label):
                self.assertTrue(loop_went_on.wait(10))
                return pin()

            opening = asyncio.ensure_future(hsmtls.Identity.open_async(uri("ec"), pin=ask))
            await asyncio.sleep(0)
            loop_went_on.set()
            with await opening as device:
                self.assertEqual(device.info.key_name, "EC P-256")

        asyncio.run(main())

    def test_raises_what_open_raises(self):
        with self.assert_fails(hsmtls.TokenError, "TOKEN_NOT_FOUND"):
            asyncio.run(hsmtls.Identity.open_async("pkcs11:token=nobody"))

    def test_closes_what_nobody_awaits_any_more(self):
        async def main():
            asked, cancelled = threading.Event(), threading.Event()

            def ask(label):
                asked.set()
                cancelled.wait(10)
                return pin()

            opening = asyncio.ensure_future(hsmtls.Identity.open_async(uri("ec"), pin=ask))
            await asyncio.to_thread(asked.wait, 10)
            opening.cancel()
            cancelled.set()
            with self.assertRaises(asyncio.CancelledError):
                await opening

        asyncio.run(main())


class Life(TestCase):
    def test_ends_with_the_block(self):
        with hsmtls.Identity.open(uri("ec")) as device:
            context = device.ssl_context(cafile=file("ca.pem"))
        with self.assertRaises(Refused) as refused:
            shake_hands(context, server_context())
        self.assertIsInstance(refused.exception.client, ssl.SSLError)
        self.assertEqual(refused.exception.server.reason, "TLSV1_ALERT_INTERNAL_ERROR")
        self.assertEqual(device.last_error.code, "IDENTITY_CLOSED")
        self.assertIsInstance(device.last_error, hsmtls.ClosedError)

    def test_closing_twice_is_nothing(self):
        device = self.open("ec")
        device.close()
        device.close()

    def test_a_closed_identity_gives_no_context_but_still_says_what_it_was(self):
        device = self.open("ec")
        device.close()
        with self.assert_fails(hsmtls.ClosedError, "IDENTITY_CLOSED"):
            device.ssl_context(cafile=file("ca.pem"))
        self.assertEqual(device.info.key_name, "EC P-256")

    def test_a_context_keeps_it_open(self):
        context = hsmtls.Identity.open(uri("ec")).ssl_context(cafile=file("ca.pem"))
        gc.collect()
        shake_hands(context, server_context())

    def test_the_last_reference_closes_it(self):
        device = hsmtls.Identity.open(uri("ec"))
        reference = device.key_pem
        gone = weakref.ref(device)
        self.assertTrue(self._loads(reference))
        del device
        gc.collect()
        self.assertIsNone(gone())
        self.assertFalse(self._loads(reference))

    def test_closes_while_others_shake_hands(self):
        device = self.open("ec")
        context, server = device.ssl_context(cafile=file("ca.pem")), server_context()
        begun = threading.Barrier(5)

        def shake_until_closed():
            begun.wait()
            with self.assertRaises(Refused):
                while True:
                    shake_hands(context, server)

        threads = [threading.Thread(target=shake_until_closed) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        device.close()
        for thread in threads:
            thread.join(10)
        self.assertFalse(any(thread.is_alive() for thread in threads))

    def test_counts_signatures_and_losses(self):
        device = self.open("ec")
        before = device.counters
        shake_hands(device.ssl_context(cafile=file("ca.pem")), server_context())
        self.assertEqual(device.counters.signatures, before.signatures + 1)
        self.assertGreaterEqual(device.counters.open_sessions, 1)
        self.assertIsNone(device.last_error)

    def _loads(self, reference):
        path = file("reference.pem")
        pathlib.Path(path).write_text(reference, encoding="ascii")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file("ec-chain.pem"), path)
        except ssl.SSLError:
            return False
        return True


if __name__ == "__main__":
    unittest.main()
