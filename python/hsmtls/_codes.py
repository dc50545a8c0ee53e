"""Generated from core/error_codes.def by scripts/generate_errors.py: edit that."""

import enum


class Code(str, enum.Enum):
    """What went wrong. Equal to its name as a `str`; `category` says of which class the error is."""

    category: str

    def __new__(cls, name: str, category: str) -> "Code":
        code = str.__new__(cls, name)
        code._value_ = name
        code.category = category
        return code

    __str__ = str.__str__

    #: An argument or option is not valid.
    BAD_ARGUMENT = "BAD_ARGUMENT", "CONFIG"
    #: The PKCS#11 URI is malformed.
    MALFORMED_URI = "MALFORMED_URI", "CONFIG"
    #: The PEM text is malformed, or not of the expected kind.
    MALFORMED_PEM = "MALFORMED_PEM", "CONFIG"
    #: A file or folder cannot be read or written.
    FILE_UNREADABLE = "FILE_UNREADABLE", "CONFIG"
    #: The PKCS#11 module is missing, or cannot be loaded or initialised.
    MODULE_UNUSABLE = "MODULE_UNUSABLE", "CONFIG"
    #: The source of the PIN cannot be read.
    PIN_SOURCE = "PIN_SOURCE", "CONFIG"
    #: This process has no OpenSSL 3 that can be used from outside.
    OPENSSL_UNUSABLE = "OPENSSL_UNUSABLE", "CONFIG"
    #: An object belongs to another copy of OpenSSL than the one in use.
    OPENSSL_FOREIGN = "OPENSSL_FOREIGN", "CONFIG"
    #: This process has several copies of OpenSSL, and nothing says which one is meant.
    OPENSSL_AMBIGUOUS = "OPENSSL_AMBIGUOUS", "CONFIG"
    #: Keys by libp11 cannot be made here.
    LEGACY_UNUSABLE = "LEGACY_UNUSABLE", "CONFIG"
    #: The token refused the PIN.
    PIN_INCORRECT = "PIN_INCORRECT", "TOKEN"
    #: The token wants a PIN, and none was given.
    PIN_REQUIRED = "PIN_REQUIRED", "TOKEN"
    #: The PIN is locked, or on its last try.
    PIN_LOCKED = "PIN_LOCKED", "TOKEN"
    #: No token fits the URI.
    TOKEN_NOT_FOUND = "TOKEN_NOT_FOUND", "TOKEN"
    #: No object of the token fits the URI.
    KEY_NOT_FOUND = "KEY_NOT_FOUND", "TOKEN"
    #: Several tokens or objects fit the URI.
    AMBIGUOUS = "AMBIGUOUS", "TOKEN"
    #: The login is gone and cannot be had again without the user.
    NOT_LOGGED_IN = "NOT_LOGGED_IN", "TOKEN"
    #: The token is away.
    TOKEN_LOST = "TOKEN_LOST", "TOKEN"
    #: Another token is where this one was.
    TOKEN_REPLACED = "TOKEN_REPLACED", "TOKEN"
    #: Another key is where this one was.
    KEY_REPLACED = "KEY_REPLACED", "TOKEN"
    #: A call inside the PKCS#11 module does not return.
    MODULE_STUCK = "MODULE_STUCK", "TOKEN"
    #: An object of that name is already in the token.
    EXISTS = "EXISTS", "TOKEN"
    #: Somebody in this process uses the token.
    IN_USE = "IN_USE", "TOKEN"
    #: The token or the key cannot do this.
    UNSUPPORTED = "UNSUPPORTED", "TOKEN"
    #: The key lacks a property that was required of it.
    KEY_POLICY = "KEY_POLICY", "TOKEN"
    #: The PKCS#11 module reported an error.
    TOKEN_ERROR = "TOKEN_ERROR", "TOKEN"
    #: There is no certificate for the key.
    CERTIFICATE_NOT_FOUND = "CERTIFICATE_NOT_FOUND", "CERTIFICATE"
    #: A certificate cannot be read.
    CERTIFICATE_MALFORMED = "CERTIFICATE_MALFORMED", "CERTIFICATE"
    #: The certificate is for another key.
    CERTIFICATE_MISMATCH = "CERTIFICATE_MISMATCH", "CERTIFICATE"
    #: The certificates do not make one chain.
    CHAIN_BROKEN = "CHAIN_BROKEN", "CERTIFICATE"
    #: The trusted certificates cannot be read, or there are none.
    TRUST_UNUSABLE = "TRUST_UNUSABLE", "CERTIFICATE"
    #: The peer's certificate is not signed by anybody who is trusted.
    PEER_UNTRUSTED = "PEER_UNTRUSTED", "HANDSHAKE"
    #: A certificate of the peer is expired, or not yet valid.
    PEER_EXPIRED = "PEER_EXPIRED", "HANDSHAKE"
    #: The peer's certificate is for another name.
    PEER_WRONG_HOST = "PEER_WRONG_HOST", "HANDSHAKE"
    #: The peer's certificate cannot be accepted.
    PEER_CERTIFICATE = "PEER_CERTIFICATE", "HANDSHAKE"
    #: The two sides have no version of TLS in common.
    PROTOCOL_VERSION = "PROTOCOL_VERSION", "HANDSHAKE"
    #: The two sides have no signature algorithm or cipher in common.
    NO_COMMON_ALGORITHM = "NO_COMMON_ALGORITHM", "HANDSHAKE"
    #: The peer refused the handshake.
    PEER_REFUSED = "PEER_REFUSED", "HANDSHAKE"
    #: The peer does not speak TLS.
    NOT_TLS = "NOT_TLS", "HANDSHAKE"
    #: The connection broke.
    CONNECTION_LOST = "CONNECTION_LOST", "HANDSHAKE"
    #: The key could not sign the handshake.
    SIGNATURE_FAILED = "SIGNATURE_FAILED", "HANDSHAKE"
    #: The handshake failed.
    HANDSHAKE_FAILED = "HANDSHAKE_FAILED", "HANDSHAKE"
    #: It took longer than the deadline allows.
    DEADLINE = "DEADLINE", "TIMEOUT"
    #: The identity was closed.
    IDENTITY_CLOSED = "IDENTITY_CLOSED", "CLOSED"
    #: The operation was cancelled.
    CANCELLED = "CANCELLED", "CLOSED"
    #: The process exits.
    EXITING = "EXITING", "CLOSED"
    #: Something went wrong inside hsmtls.
    INTERNAL = "INTERNAL", "INTERNAL"
    #: There is no memory left.
    NO_MEMORY = "NO_MEMORY", "INTERNAL"
