"""Events: who asked is told that a token was lost, is restored, and that a key signed."""

import asyncio
import queue
import ssl
import threading
import unittest

import hsmtls
from support import KINDS, TIMEOUT_S, TestCase, drop_sessions, file, for_each, server_context, shake_hands

OF_TLS_1_3 = {"ec": hsmtls.Mechanism.ECDSA, "rsa": hsmtls.Mechanism.RSA_PSS}


class Events(TestCase):
    def setUp(self):
        self.told = queue.Queue()

    def next(self):
        return self.told.get(timeout=TIMEOUT_S)

    def shake(self, device):
        shake_hands(device.ssl_context(cafile=file("ca.pem")), server_context(ssl.TLSVersion.TLSv1_3))

    @for_each(kind=KINDS)
    def test_a_signature_comes_with_its_mechanism_and_what_it_took(self, kind):
        device = self.open(kind)
        device.on("signed", self.told.put)
        self.shake(device)
        event = self.next()
        self.assertEqual((event.type, event.mechanism), ("signed", OF_TLS_1_3[kind]))
        self.assertTrue(0 < event.took < TIMEOUT_S)

    @for_each(kind=KINDS)
    def test_a_loss_is_told_before_its_end(self, kind):
        device = self.open(kind)
        device.on("restored", self.told.put)
        device.on("lost", self.told.put)
        drop_sessions()
        self.shake(device)
        lost, restored = self.next(), self.next()
        self.assertEqual(lost, hsmtls.Event("lost", None, 0.0))
        self.assertEqual((restored.type, restored.mechanism), ("restored", None))
        self.assertTrue(0 < restored.took < TIMEOUT_S)

    def test_are_told_on_a_thread_of_their_own_that_may_use_the_identity(self):
        device = self.open("ec")

        def signed(event):
            self.told.put((threading.current_thread().name, device.counters.signatures > 0))
            device.close()
            self.told.put("closed")

        device.on("signed", signed)
        self.shake(device)
        self.assertEqual([self.next(), self.next()], [("hsmtls-events", True), "closed"])

    def test_are_told_by_the_loop_that_ran_when_they_were_asked_for(self):
        async def main():
            device, told = self.open("ec"), asyncio.Queue()
            device.on("signed", lambda event: told.put_nowait((event.type, threading.current_thread())))
            await asyncio.to_thread(self.shake, device)
            self.assertEqual(await asyncio.wait_for(told.get(), TIMEOUT_S), ("signed", threading.current_thread()))

        asyncio.run(main())

    def test_are_not_told_by_a_loop_that_comes_to_them_after_the_identity_was_closed(self):
        async def main():
            device = self.open("ec")
            device.on("signed", self.told.put)
            probe = self.open("ec")
            seen = queue.Queue()
            await asyncio.to_thread(probe.on, "signed", seen.put)
            self.shake(device)  # on the loop's thread: it cannot tell anything meanwhile
            self.shake(probe)
            seen.get(timeout=TIMEOUT_S)  # so what came before is with the loop
            device.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.assertTrue(self.told.empty())

        asyncio.run(main())

    def test_are_not_told_to_a_loop_that_is_closed(self):
        device = self.open("ec")

        async def ask():
            device.on("signed", lambda event: self.told.put("the closed loop's"))

        asyncio.run(ask())
        device.on("signed", lambda event: self.told.put("the thread's"))
        self.shake(device)
        self.assertEqual(self.next(), "the thread's")
        self.assertTrue(self.told.empty())

    def test_end_when_the_returned_function_is_called(self):
        device = self.open("ec")
        end = device.on("signed", lambda event: self.told.put("ended"))
        device.on("signed", lambda event: self.told.put("not ended"))
        end()
        end()
        self.shake(device)
        self.assertEqual(self.next(), "not ended")
        self.assertTrue(self.told.empty())

    def test_belong_to_their_identity_alone(self):
        one, other = self.open("ec"), self.open("rsa")
        one.on("signed", lambda event: self.told.put("one"))
        other.on("signed", lambda event: self.told.put("other"))
        self.shake(other)
        self.shake(one)
        self.assertEqual([self.next(), self.next()], ["other", "one"])

    def test_what_one_subscriber_raises_is_reported_and_the_next_is_told(self):
        device, reported = self.open("ec"), queue.Queue()
        hook, threading.excepthook = threading.excepthook, reported.put
        self.addCleanup(setattr, threading, "excepthook", hook)

        def fail(event):
            raise LookupError("of the subscriber's own")

        device.on("signed", fail)
        device.on("signed", self.told.put)
        self.shake(device)
        self.assertEqual(self.next().type, "signed")
        self.assertIs(reported.get(timeout=TIMEOUT_S).exc_type, LookupError)

    def test_of_another_name_do_not_exist(self):
        with self.assertRaisesRegex(ValueError, "lost, restored, signed"):
            self.open("ec").on("found", print)


if __name__ == "__main__":
    unittest.main()
