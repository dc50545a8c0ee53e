"""What goes wrong: one class for each category, one code for each reason (docs/errors.md has them all)."""

import builtins

from hsmtls._codes import Code

__all__ = ["CertificateError", "ClosedError", "Code", "ConfigError", "Error", "HandshakeError", "InternalError",
           "TimeoutError", "TokenError"]


class Error(Exception):
    """Whatever hsmtls reports. Its text is one or two sentences: what was wrong, and what to do. Never holds a PIN."""

    #: What went wrong: ``error.code == "PIN_LOCKED"``.
    code: Code
    #: The name of what the PKCS#11 module returned ("CKR_PIN_LOCKED"); None where nothing came from there.
    ckr: str | None
    #: OpenSSL's reason; None where nothing came from there.
    openssl_reason: str | None

    def __init__(self, message: str, code: Code, ckr: str | None = None, openssl_reason: str | None = None) -> None:
        super().__init__(message)
        self.code, self.ckr, self.openssl_reason = code, ckr, openssl_reason

    @property
    def category(self) -> str:
        """The category of the code ("TOKEN"), which the class is for."""
        return self.code.category

    def __reduce__(self) -> tuple[object, ...]:  # errors travel between processes
        return type(self), (str(self), self.code, self.ckr, self.openssl_reason)


class ConfigError(Error, ValueError):
    """What the caller asked for, or what the machine is set up with, cannot work."""


class TokenError(Error):
    """The token, its PIN or the key in it."""


class CertificateError(Error):
    """The identity's own certificates, or those that are trusted."""


class HandshakeError(Error, ConnectionError):
    """The handshake with the peer."""


class TimeoutError(Error, builtins.TimeoutError):
    """It took longer than the deadline allows."""


class ClosedError(Error):
    """The identity was closed, or the process exits."""


class InternalError(Error):
    """Something went wrong inside hsmtls."""


_CLASSES: dict[str, type[Error]] = {
    "CONFIG": ConfigError, "TOKEN": TokenError, "CERTIFICATE": CertificateError, "HANDSHAKE": HandshakeError,
    "TIMEOUT": TimeoutError, "CLOSED": ClosedError, "INTERNAL": InternalError}


def error_of(code: str, message: str, ckr: str, openssl_reason: str) -> Error:
    """Makes the error of a code; for hsmtls._core, where "" means that there is none."""
    known = Code[code]
    return _CLASSES[known.category](message, known, ckr or None, openssl_reason or None)
