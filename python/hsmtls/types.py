"""What an identity says of itself."""

import enum
from typing import Literal, NamedTuple


class KeyType(enum.Enum):
    """The kind of a private key."""

    RSA = 1
    EC = 2
    ED25519 = 3


class KeyProperties(enum.Flag):
    """What is true of a key, or required of it (PKCS#11 v3.1 section 4.9)."""

    LOCAL = 1  #: CKA_LOCAL: generated in the token
    ALWAYS_SENSITIVE = 2  #: CKA_ALWAYS_SENSITIVE
    NEVER_EXTRACTABLE = 4  #: CKA_NEVER_EXTRACTABLE
    ALWAYS_AUTHENTICATE = 8  #: CKA_ALWAYS_AUTHENTICATE


class Mechanism(enum.Enum):
    """How the token was asked to sign (PKCS#11 v3.1 sections 6.1 and 6.3)."""

    RSA_PKCS1 = 1
    RSA_PSS = 2
    RSA_RAW = 3  #: for a padding that the token does not know
    ECDSA = 4
    EDDSA = 5


class Info(NamedTuple):
    """What an identity is."""

    key_type: KeyType
    key_bits: int  #: RSA: of the modulus; else of the curve
    properties: KeyProperties
    key_uri: str  #: fits this key alone; no query, no PIN
    key_name: str  #: "EC P-256", "RSA 2048", "Ed25519"
    num_certificates: int  #: leaf included


class Counters(NamedTuple):
    """What happened to an identity's token, since the process began."""

    open_sessions: int  #: now
    lost: int
    restored: int
    signatures: int
    failed_signatures: int


class Files(NamedTuple):
    """Where `Identity.write_files` wrote: certificate chain and reference PEM, in the order in which SDKs take them."""

    certificate: str
    key: str


EventType = Literal["lost", "restored", "signed"]


class Event(NamedTuple):
    """Something that happened to an identity."""

    #: "lost": the token went away, or dropped its sessions. "restored": it is back, and the key is the same. "signed".
    type: EventType
    mechanism: Mechanism | None  #: of a signature; else None
    took: float  #: seconds since the loss, or for the whole signature, recovery included; 0.0 of a loss
