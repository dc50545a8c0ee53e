"""The identity: a private key in a token, its certificate chain, and what unlocks it."""

import math
import os
import ssl
from collections.abc import Callable
from typing import Any, TypeAlias

from hsmtls import _core, errors
from hsmtls._events import Callback, Subscribers
from hsmtls.types import Counters, EventType, Files, Info, KeyProperties, KeyType

Path: TypeAlias = str | os.PathLike[str]
#: A PIN, or a function of the token's label that returns one, or None for none.
Pin: TypeAlias = str | bytes | Callable[[str], str | bytes | None]


class Identity:
    """An open identity; made by `open` and `open_async`.

    It lives until it is closed: by `close`, at the end of a `with` block, or with its last reference. A context that it
    was given to holds one. All of its methods may be called from any thread; those that may block say so, and let other
    threads run meanwhile.
    """

    def __init__(self, core: _core.Identity, subscribers: Subscribers) -> None:
        """For `open` alone."""
        self._core = core
        self._subscribers = subscribers

    @classmethod
    def open(
        cls,
        uri: str,
        certificate: Path | None = None,
        pin: Pin | None = None,
        pin_source: str | None = None,
        module: Path | None = None,
        *,
        require: KeyProperties = KeyProperties(0),
        deadline: float | None = None,
        forget_pin: bool = False,
        insist: bool = False,
    ) -> "Identity":
        """Opens a key and checks all that can be checked before a handshake.

        The module loads, the token is there, the PIN is right, exactly one key fits, the certificate is for that key,
        the chain is in order. Blocks: it talks to the token.

        uri: the key (RFC 7512), "pkcs11:token=edge;object=device-key". Whatever fits exactly one private key is enough.
        certificate: a PEM file, PEM text, or a "pkcs11:" URI; leaf and intermediates, in any order. None: from the
            token, beside the key.
        pin: the token's PIN, or a function that gets the token's label and returns it, called inside this call only,
            on this thread, and not to call hsmtls itself; what it raises, this raises. Python cannot wipe a str:
            `pin_source` leaves no copy.
        pin_source: "file:/run/pin", "env:NAME" or "credential:NAME"; read again at each login. None, and no `pin`:
            HSMTLS_PIN_SOURCE.
        module: the vendor's PKCS#11 file; only this one is asked. None: HSMTLS_MODULE, else what p11-kit has
            registered.
        require: what must be true of the key.
        deadline: seconds, for opening and for each signature, a token's recovery included. None: HSMTLS_DEADLINE_MS,
            else 2.
        forget_pin: a `pin` is not kept: after a loss there is no login by itself.
        insist: logs in although the token says that it is the last try.

        Raises ConfigError, TokenError, CertificateError, TimeoutError.
        """
        # The ssl module's own OpenSSL is the one to use: a fresh context of its shows which that is.
        _core.bind(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        subscribers = Subscribers()
        core = _core.Identity(
            key=uri, certificate=_text(certificate), module=_text(module), pin=pin, pin_source=pin_source,
            forget_pin=forget_pin, insist=insist, require=require.value, deadline_ms=_milliseconds(deadline),
            number=subscribers.number)
        return cls(core, subscribers)

    @classmethod
    async def open_async(
        cls,
        uri: str,
        certificate: Path | None = None,
        pin: Pin | None = None,
        pin_source: str | None = None,
        module: Path | None = None,
        *,
        require: KeyProperties = KeyProperties(0),
        deadline: float | None = None,
        forget_pin: bool = False,
        insist: bool = False,
    ) -> "Identity":
        """`open`, in a thread of the running loop's executor, on which `pin` is called too: the loop is not blocked."""
        import asyncio  # here: not everybody has a loop, and it takes its time to import

        return await asyncio.to_thread(
            cls.open, uri, certificate, pin, pin_source, module,
            require=require, deadline=deadline, forget_pin=forget_pin, insist=insist)

    def ssl_context(
        self,
        purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH,
        *,
        cafile: Path | None = None,
        capath: Path | None = None,
        cadata: str | bytes | None = None,
    ) -> ssl.SSLContext:
        """Makes a context that presents this identity, and is otherwise `ssl.create_default_context`'s.

        purpose: ssl.Purpose.CLIENT_AUTH makes one for a server; its clients must have a certificate, too.
        cafile, capath, cadata: whom to trust, as in ssl.create_default_context. None of them: the system's.

        A handshake with it signs in the token, on the thread that shakes hands, which is the loop's in asyncio. Raises
        CertificateError where the identity has no certificate, ClosedError, and what the ssl module raises over `ca…`.
        """
        context = ssl.create_default_context(purpose, cafile=cafile, capath=capath, cadata=cadata)
        if purpose is ssl.Purpose.CLIENT_AUTH:
            context.verify_mode = ssl.CERT_REQUIRED
            if not (cafile or capath or cadata):
                context.load_default_certs(purpose)
        self.apply(context)
        return context

    def apply(self, context: ssl.SSLContext) -> None:
        """Makes a context of yours present this identity: key, leaf, chain. Nothing else in it changes.

        The context keeps the identity open. Not while another thread changes the context. Raises TypeError where it is
        no ssl.SSLContext, ConfigError (OPENSSL_FOREIGN where another copy of OpenSSL made it, BAD_ARGUMENT where it has
        a certificate of another kind of key), ClosedError.
        """
        # truststore's context has another one inside, and shakes hands with that.
        inner = getattr(context, "_ctx", None)
        self._core.apply(inner if isinstance(inner, ssl.SSLContext) else context)
        context._hsmtls_identity = self  # type: ignore[attr-defined]

    def write_files(self, directory: Path) -> Files:
        """Writes certificate.pem and key.pem into a folder that exists, for SDKs that take files only.

        The key file is `key_pem`. Each appears complete or not at all. Raises ConfigError.
        """
        _core.install_provider()
        self._core.write_files(os.fspath(directory))
        return Files(os.path.join(directory, "certificate.pem"), os.path.join(directory, "key.pem"))

    @property
    def certificate_pem(self) -> str:
        """The chain as PEM, leaf first."""
        return self._core.certificate_pem()

    @property
    def key_pem(self) -> str:
        """The reference PEM of the key: it names the key and holds no key material.

        A key for whoever reads PEM through OpenSSL in this process, while the identity is open. The first use of it, or
        of `write_files`, adds our provider to the ssl module's OpenSSL, for the life of the process.
        """
        _core.install_provider()
        return self._core.key_pem()

    @property
    def info(self) -> Info:
        """What the identity is. Asks no token."""
        key_type, key_bits, properties, key_uri, key_name, num_certificates = self._core.info()
        return Info(
            KeyType(key_type), key_bits, KeyProperties(properties), key_uri, key_name, num_certificates)

    @property
    def counters(self) -> Counters:
        """What happened to the identity's token. Asks no token."""
        return Counters(*self._core.counters())

    @property
    def last_error(self) -> errors.Error | None:
        """Why the latest signature by this identity failed, which an ssl.SSLError does not say; None: it did not."""
        return self._core.last_error()

    def on(self, event: EventType, callback: Callback) -> Callable[[], None]:
        """Has `callback(event)` called at each "lost", "restored" or "signed", until the identity is closed.

        Where an asyncio loop runs in this thread, that loop calls it; else the thread "hsmtls-events" does. Either way
        it is called after the fact, and may use the identity. What it raises goes to threading.excepthook, or the
        loop's handler. Returns a function that ends it. Of signatures that come faster than they are told, some are
        not told. A forked child has to ask anew.
        """
        return self._subscribers.add(event, callback)

    def close(self) -> None:
        """Ends it now, whoever still has it: what was handed out of it signs no more (IDENTITY_CLOSED).

        Waits for nobody's signature. Twice: nothing.
        """
        self._subscribers.clear()
        self._core.close()

    def __enter__(self) -> "Identity":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<hsmtls.Identity {self.info.key_name} {self.info.key_uri!r}>"


def _text(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def _milliseconds(seconds: float | None) -> int:
    """0: the core's default."""
    if seconds is None:
        return 0
    if not 0 < seconds < 2**32 / 1000:
        raise ValueError(f"a deadline of {seconds} seconds")
    return math.ceil(seconds * 1000)
