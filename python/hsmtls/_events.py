"""Who is told of an identity's events.

They happen on threads that sign, which must not wait for Python: the extension queues them, and the thread
"hsmtls-events" calls who asked, or has an asyncio loop do so. It begins with the first who asks and ends when the
interpreter exits. A forked child begins with nobody.
"""

import atexit
import contextlib
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable

from hsmtls import _core
from hsmtls.types import Event, EventType, Mechanism

Callback = Callable[[Event], object]

_NUMBERS: dict[EventType, int] = {"lost": 1, "restored": 2, "signed": 3}
_TYPES = {number: name for name, number in _NUMBERS.items()}
_EXIT_TIMEOUT_S = 1.0

_identities = itertools.count(1)
_all: "weakref.WeakValueDictionary[int, Subscribers]" = weakref.WeakValueDictionary()
_starting = threading.Lock()
_thread: threading.Thread | None = None


class Subscribers:
    """Those of one identity."""

    def __init__(self) -> None:
        self.number = next(_identities)
        self._callbacks: dict[EventType, list[Callback]] = {name: [] for name in _NUMBERS}
        _all[self.number] = self

    def add(self, name: EventType, callback: Callback) -> Callable[[], None]:
        """Has `callback` called from now on. What it returns ends that."""
        if name not in _NUMBERS:
            raise ValueError(f"there is no event {name!r}: there are {', '.join(_NUMBERS)}")
        callbacks = self._callbacks[name]

        def tell(event: Event) -> None:
            if deliver in callbacks:  # a loop comes to it later, when nobody may want it any more
                callback(event)

        deliver = _deliverer(tell)
        callbacks.append(deliver)
        _core.want_event(_NUMBERS[name])
        _start()

        def end() -> None:
            with contextlib.suppress(ValueError):  # twice: nothing
                callbacks.remove(deliver)

        return end

    def clear(self) -> None:
        """Nobody is told anything any more."""
        for callbacks in self._callbacks.values():
            callbacks.clear()

    def tell(self, event: Event) -> None:
        """Calls who asked. What one of them raises is reported, and does not keep the others from being told."""
        for deliver in tuple(self._callbacks[event.type]):
            try:
                deliver(event)
            except BaseException:  # or nobody would be told anything any more
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def _deliverer(callback: Callback) -> Callback:
    import asyncio  # here: not everybody has a loop, and it takes its time to import

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return callback

    def deliver(event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(callback, event)

    return deliver


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="hsmtls-events", daemon=True)
            _thread.start()


def _run() -> None:
    while (told := _core.next_event()) is not None:
        _tell(*told)


def _tell(number: int, event_type: int, mechanism: int, microseconds: int) -> None:
    if subscribers := _all.get(number):
        subscribers.tell(Event(_TYPES[event_type], Mechanism(mechanism) if mechanism else None, microseconds / 1e6))


def _end() -> None:
    _core.end_events()
    if _thread is not None:
        _thread.join(_EXIT_TIMEOUT_S)


def _begin_anew() -> None:
    global _starting, _thread
    _starting, _thread = threading.Lock(), None
    _core.forget_events()
    for subscribers in list(_all.values()):
        subscribers.clear()


atexit.register(_end)
os.register_at_fork(after_in_child=_begin_anew)
