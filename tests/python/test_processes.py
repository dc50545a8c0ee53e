"""Processes: children that are forked or spawned sign; every program ends with 0, whatever it leaves open."""

import importlib.util
import multiprocessing
import os
import unittest

import hsmtls
from support import KINDS, TestCase, chaos, drop_sessions, file, for_each, name_of, server_context, shake_hands, uri

def sign_with(context, names):
    names.put(name_of(shake_hands(context, server_context())[1].getpeercert()))


def open_and_sign(kind, names):
    with hsmtls.Identity.open(uri(kind)) as device:
        sign_with(device.ssl_context(cafile=file("ca.pem")), names)


class Children(TestCase):
    def finish(self, process, names, kind):
        process.start()
        self.assertEqual(names.get(timeout=30), f"device-{kind}")
        process.join(30)
        self.assertEqual(process.exitcode, 0)

    @for_each(kind=KINDS)
    def test_a_forked_child_signs_with_its_parents_context_and_so_does_the_parent(self, kind):
        context = self.open(kind).ssl_context(cafile=file("ca.pem"))
        shake_hands(context, server_context())
        fork = multiprocessing.get_context("fork")
        names = fork.Queue()
        self.finish(fork.Process(target=sign_with, args=(context, names)), names, kind)
        shake_hands(context, server_context())

    def test_a_forked_child_signs_after_the_token_dropped_its_sessions(self):
        context = self.open("ec").ssl_context(cafile=file("ca.pem"))
        fork = multiprocessing.get_context("fork")
        names = fork.Queue()
        drop_sessions()
        self.finish(fork.Process(target=sign_with, args=(context, names)), names, "ec")

    @for_each(method=("spawn", "forkserver"), kind=KINDS)
    def test_a_child_that_begins_anew_opens_its_own(self, method, kind):
        self.open(kind)
        begun = multiprocessing.get_context(method)
        names = begun.Queue()
        self.finish(begun.Process(target=open_and_sign, args=(kind, names)), names, kind)

    def test_an_identity_does_not_travel_to_another_process(self):
        with self.assertRaises(TypeError):
            multiprocessing.get_context("spawn").Process(target=print, args=(self.open("ec"),)).start()

    def test_a_forked_child_asks_anew_for_events(self):
        self.run_as_device("""
            import queue
            told = queue.Queue()
            device.on("signed", told.put)
            child = os.fork()
            if child == 0:
                anew = queue.Queue()
                device.on("signed", anew.put)
                shake_hands(context, server_context())
                assert anew.get(timeout=10).type == "signed" and told.empty()
                sys.exit()
            assert os.waitpid(child, 0)[1] == 0
            shake_hands(context, server_context())
            assert told.get(timeout=10).type == "signed"
        """)


class Exit(TestCase):
    @for_each(kind=KINDS)
    def test_with_everything_left_open(self, kind):
        self.run_as_device("""
            ends = shake_hands(context, server_context())
            device.on("signed", print)
            device.write_files(FOLDER)
        """, kind)

    def test_with_threads_that_still_shake_hands(self):
        self.run_as_device("""
            begun = threading.Barrier(5)

            def shake_for_ever():
                shake_hands(context, server_context())
                begun.wait()
                while True:
                    shake_hands(context, server_context())

            for _ in range(4):
                threading.Thread(target=shake_for_ever, daemon=True).start()
            begun.wait()
        """, times=5)

    def test_with_threads_that_still_open_identities(self):
        self.run_as_device("""
            begun = threading.Barrier(4)

            def open_for_ever():
                begun.wait()
                while True:
                    hsmtls.Identity.open(uri("rsa"), pin=lambda label: open(file("pin")).read().strip()).close()

            for _ in range(3):
                threading.Thread(target=open_for_ever, daemon=True).start()
            begun.wait()
        """, times=5)

    def test_with_a_pin_function_that_does_not_return(self):
        self.run_as_device("""
            asked = threading.Event()

            def ask(label):
                asked.set()
                threading.Event().wait()

            threading.Thread(target=hsmtls.Identity.open, args=(uri("rsa"),), kwargs={"pin": ask}, daemon=True).start()
            asked.wait()
        """)

    def test_with_a_pin_function_that_runs_python_for_ever(self):
        self.run_as_device("""
            import time
            asked = threading.Event()

            def ask(label):
                asked.set()
                while True:
                    time.sleep(0.001)

            threading.Thread(target=hsmtls.Identity.open, args=(uri("rsa"),), kwargs={"pin": ask}, daemon=True).start()
            asked.wait()
        """, times=8)

    def test_with_a_call_into_the_module_that_never_returns(self):
        self.addCleanup(chaos, "clear")
        self.run_as_device("""
            import queue
            chaos("hang C_Sign 1")
            done = queue.Queue()
            for _ in range(2):
                threading.Thread(
                    target=lambda: done.put(shake_hands(context, server_context())), daemon=True).start()
            done.get()  # the other one came first, and hangs
        """)

    def test_with_a_subscriber_that_does_not_return(self):
        self.run_as_device("""
            told = threading.Event()
            device.on("signed", lambda event: (told.set(), threading.Event().wait()))
            shake_hands(context, server_context())
            told.wait()
        """)

    def test_with_events_that_come_while_it_exits(self):
        self.run_as_device("""
            import atexit
            device.on("signed", lambda event: device.counters)
            atexit.register(shake_hands, context, server_context())
            shake_hands(context, server_context())
        """)

    def test_with_a_loop_that_still_opens(self):
        self.run_as_device("""
            import asyncio

            async def main():
                asyncio.ensure_future(hsmtls.Identity.open_async(uri("rsa")))
                await asyncio.sleep(0)

            asyncio.run(main())
        """)

    def test_after_a_forked_child_that_exits_as_python_does(self):
        self.run_as_device("""
            child = os.fork()
            shake_hands(context, server_context())
            if child:
                assert os.waitpid(child, 0)[1] == 0
        """, times=3)


@unittest.skipUnless(importlib.util.find_spec("_xxsubinterpreters"), "CPython has another way to make one")
class Subinterpreters(TestCase):
    IMPORT_IN_ONE = '''
import _xxsubinterpreters as interpreters
interpreters.run_string(interpreters.create(), """
try:
    import hsmtls
except ImportError as error:
    assert "main interpreter" in str(error), error
else:
    raise AssertionError("not refused")
""")
'''

    def test_are_refused_in_words(self):
        self.run_as_device(self.IMPORT_IN_ONE + "shake_hands(context, server_context())")

    def test_that_came_first_do_no_harm_to_the_main_one(self):
        self.run_program("-c", self.IMPORT_IN_ONE + f"import hsmtls; hsmtls.Identity.open({uri('ec')!r})")


if __name__ == "__main__":
    unittest.main()
