/* Generated from core/error_codes.def by scripts/generate_errors.py: edit that. */
#ifndef HSMTLS_ERRORS_H
#define HSMTLS_ERRORS_H

/* The class of an error: what kind of exception it is in each language. */
typedef enum hsmtls_category {
  HSMTLS_CATEGORY_CONFIG = 1,
  HSMTLS_CATEGORY_TOKEN = 2,
  HSMTLS_CATEGORY_CERTIFICATE = 3,
  HSMTLS_CATEGORY_HANDSHAKE = 4,
  HSMTLS_CATEGORY_TIMEOUT = 5,
  HSMTLS_CATEGORY_CLOSED = 6,
  HSMTLS_CATEGORY_INTERNAL = 7
} hsmtls_category;

typedef enum hsmtls_error_code {
  HSMTLS_OK = 0,
  /* An argument or option is not valid. */
  HSMTLS_BAD_ARGUMENT = 101,
  /* The PKCS#11 URI is malformed. */
  HSMTLS_MALFORMED_URI = 102,
  /* The PEM text is malformed, or not of the expected kind. */
  HSMTLS_MALFORMED_PEM = 103,
  /* A file or folder cannot be read or written. */
  HSMTLS_FILE_UNREADABLE = 104,
  /* The PKCS#11 module is missing, or cannot be loaded or initialised. */
  HSMTLS_MODULE_UNUSABLE = 105,
  /* The source of the PIN cannot be read. */
  HSMTLS_PIN_SOURCE = 106,
  /* This process has no OpenSSL 3 that can be used from outside. */
  HSMTLS_OPENSSL_UNUSABLE = 107,
  /* An object belongs to another copy of OpenSSL than the one in use. */
  HSMTLS_OPENSSL_FOREIGN = 108,
  /* This process has several copies of OpenSSL, and nothing says which one is meant. */
  HSMTLS_OPENSSL_AMBIGUOUS = 109,
  /* Keys by libp11 cannot be made here. */
  HSMTLS_LEGACY_UNUSABLE = 110,
  /* The token refused the PIN. */
  HSMTLS_PIN_INCORRECT = 201,
  /* The token wants a PIN, and none was given. */
  HSMTLS_PIN_REQUIRED = 202,
  /* The PIN is locked, or on its last try. */
  HSMTLS_PIN_LOCKED = 203,
  /* No token fits the URI. */
  HSMTLS_TOKEN_NOT_FOUND = 204,
  /* No object of the token fits the URI. */
  HSMTLS_KEY_NOT_FOUND = 205,
  /* Several tokens or objects fit the URI. */
  HSMTLS_AMBIGUOUS = 206,
  /* The login is gone and cannot be had again without the user. */
  HSMTLS_NOT_LOGGED_IN = 207,
  /* The token is away. */
  HSMTLS_TOKEN_LOST = 208,
  /* Another token is where this one was. */
  HSMTLS_TOKEN_REPLACED = 209,
  /* Another key is where this one was. */
  HSMTLS_KEY_REPLACED = 210,
  /* A call inside the PKCS#11 module does not return. */
  HSMTLS_MODULE_STUCK = 211,
  /* An object of that name is already in the token. */
  HSMTLS_EXISTS = 212,
  /* Somebody in this process uses the token. */
  HSMTLS_IN_USE = 213,
  /* The token or the key cannot do this. */
  HSMTLS_UNSUPPORTED = 214,
  /* The key lacks a property that was required of it. */
  HSMTLS_KEY_POLICY = 215,
  /* The PKCS#11 module reported an error. */
  HSMTLS_TOKEN_ERROR = 216,
  /* There is no certificate for the key. */
  HSMTLS_CERTIFICATE_NOT_FOUND = 301,
  /* A certificate cannot be read. */
  HSMTLS_CERTIFICATE_MALFORMED = 302,
  /* The certificate is for another key. */
  HSMTLS_CERTIFICATE_MISMATCH = 303,
  /* The certificates do not make one chain. */
  HSMTLS_CHAIN_BROKEN = 304,
  /* The trusted certificates cannot be read, or there are none. */
  HSMTLS_TRUST_UNUSABLE = 305,
  /* The peer's certificate is not signed by anybody who is trusted. */
  HSMTLS_PEER_UNTRUSTED = 401,
  /* A certificate of the peer is expired, or not yet valid. */
  HSMTLS_PEER_EXPIRED = 402,
  /* The peer's certificate is for another name. */
  HSMTLS_PEER_WRONG_HOST = 403,
  /* The peer's certificate cannot be accepted. */
  HSMTLS_PEER_CERTIFICATE = 404,
  /* The two sides have no version of TLS in common. */
  HSMTLS_PROTOCOL_VERSION = 405,
  /* The two sides have no signature algorithm or cipher in common. */
  HSMTLS_NO_COMMON_ALGORITHM = 406,
  /* The peer refused the handshake. */
  HSMTLS_PEER_REFUSED = 407,
  /* The peer does not speak TLS. */
  HSMTLS_NOT_TLS = 408,
  /* The connection broke. */
  HSMTLS_CONNECTION_LOST = 409,
  /* The key could not sign the handshake. */
  HSMTLS_SIGNATURE_FAILED = 410,
  /* The handshake failed. */
  HSMTLS_HANDSHAKE_FAILED = 411,
  /* It took longer than the deadline allows. */
  HSMTLS_DEADLINE = 501,
  /* The identity was closed. */
  HSMTLS_IDENTITY_CLOSED = 601,
  /* The operation was cancelled. */
  HSMTLS_CANCELLED = 602,
  /* The process exits. */
  HSMTLS_EXITING = 603,
  /* Something went wrong inside hsmtls. */
  HSMTLS_INTERNAL = 901,
  /* There is no memory left. */
  HSMTLS_NO_MEMORY = 902
} hsmtls_error_code;

#endif
