"""Mutual TLS with a private key that stays in an HSM or TPM.

    device = hsmtls.Identity.open("pkcs11:token=edge;object=device-key")
    context = device.ssl_context(cafile="ca.pem")      # a real ssl.SSLContext, for any library that takes one

Whatever goes wrong is an `hsmtls.Error`, whose `code` says what. All of it may be used from any thread.
"""

from hsmtls import _core

_core.refuse_subinterpreter()

from hsmtls.errors import (  # noqa: E402
    CertificateError, ClosedError, Code, ConfigError, Error, HandshakeError, InternalError, TimeoutError, TokenError,
    error_of)
from hsmtls.identity import Identity  # noqa: E402
from hsmtls.types import Counters, Event, Files, Info, KeyProperties, KeyType, Mechanism  # noqa: E402

_core.raise_by(error_of)

__version__ = _core.version()

__all__ = [
    "CertificateError", "ClosedError", "Code", "ConfigError", "Counters", "Error", "Event", "Files", "HandshakeError",
    "Identity", "Info", "InternalError", "KeyProperties", "KeyType", "Mechanism", "TimeoutError", "TokenError",
]
