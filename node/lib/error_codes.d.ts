// Generated from core/error_codes.def by scripts/generate_errors.py: edit that.

/** The class of an error: what to look at. */
export type ErrorCategory =
  | 'config'
  | 'token'
  | 'certificate'
  | 'handshake'
  | 'timeout'
  | 'closed'
  | 'internal';

export type ErrorCode =
  /** An argument or option is not valid. */
  | 'ERR_HSMTLS_BAD_ARGUMENT'
  /** The PKCS#11 URI is malformed. */
  | 'ERR_HSMTLS_MALFORMED_URI'
  /** The PEM text is malformed, or not of the expected kind. */
  | 'ERR_HSMTLS_MALFORMED_PEM'
  /** A file or folder cannot be read or written. */
  | 'ERR_HSMTLS_FILE_UNREADABLE'
  /** The PKCS#11 module is missing, or cannot be loaded or initialised. */
  | 'ERR_HSMTLS_MODULE_UNUSABLE'
  /** The source of the PIN cannot be read. */
  | 'ERR_HSMTLS_PIN_SOURCE'
  /** This process has no OpenSSL 3 that can be used from outside. */
  | 'ERR_HSMTLS_OPENSSL_UNUSABLE'
  /** An object belongs to another copy of OpenSSL than the one in use. */
  | 'ERR_HSMTLS_OPENSSL_FOREIGN'
  /** This process has several copies of OpenSSL, and nothing says which one is meant. */
  | 'ERR_HSMTLS_OPENSSL_AMBIGUOUS'
  /** Keys by libp11 cannot be made here. */
  | 'ERR_HSMTLS_LEGACY_UNUSABLE'
  /** The token refused the PIN. */
  | 'ERR_HSMTLS_PIN_INCORRECT'
  /** The token wants a PIN, and none was given. */
  | 'ERR_HSMTLS_PIN_REQUIRED'
  /** The PIN is locked, or on its last try. */
  | 'ERR_HSMTLS_PIN_LOCKED'
  /** No token fits the URI. */
  | 'ERR_HSMTLS_TOKEN_NOT_FOUND'
  /** No object of the token fits the URI. */
  | 'ERR_HSMTLS_KEY_NOT_FOUND'
  /** Several tokens or objects fit the URI. */
  | 'ERR_HSMTLS_AMBIGUOUS'
  /** The login is gone and cannot be had again without the user. */
  | 'ERR_HSMTLS_NOT_LOGGED_IN'
  /** The token is away. */
  | 'ERR_HSMTLS_TOKEN_LOST'
  /** Another token is where this one was. */
  | 'ERR_HSMTLS_TOKEN_REPLACED'
  /** Another key is where this one was. */
  | 'ERR_HSMTLS_KEY_REPLACED'
  /** A call inside the PKCS#11 module does not return. */
  | 'ERR_HSMTLS_MODULE_STUCK'
  /** An object of that name is already in the token. */
  | 'ERR_HSMTLS_EXISTS'
  /** Somebody in this process uses the token. */
  | 'ERR_HSMTLS_IN_USE'
  /** The token or the key cannot do this. */
  | 'ERR_HSMTLS_UNSUPPORTED'
  /** The key lacks a property that was required of it. */
  | 'ERR_HSMTLS_KEY_POLICY'
  /** The PKCS#11 module reported an error. */
  | 'ERR_HSMTLS_TOKEN_ERROR'
  /** There is no certificate for the key. */
  | 'ERR_HSMTLS_CERTIFICATE_NOT_FOUND'
  /** A certificate cannot be read. */
  | 'ERR_HSMTLS_CERTIFICATE_MALFORMED'
  /** The certificate is for another key. */
  | 'ERR_HSMTLS_CERTIFICATE_MISMATCH'
  /** The certificates do not make one chain. */
  | 'ERR_HSMTLS_CHAIN_BROKEN'
  /** The trusted certificates cannot be read, or there are none. */
  | 'ERR_HSMTLS_TRUST_UNUSABLE'
  /** The peer's certificate is not signed by anybody who is trusted. */
  | 'ERR_HSMTLS_PEER_UNTRUSTED'
  /** A certificate of the peer is expired, or not yet valid. */
  | 'ERR_HSMTLS_PEER_EXPIRED'
  /** The peer's certificate is for another name. */
  | 'ERR_HSMTLS_PEER_WRONG_HOST'
  /** The peer's certificate cannot be accepted. */
  | 'ERR_HSMTLS_PEER_CERTIFICATE'
  /** The two sides have no version of TLS in common. */
  | 'ERR_HSMTLS_PROTOCOL_VERSION'
  /** The two sides have no signature algorithm or cipher in common. */
  | 'ERR_HSMTLS_NO_COMMON_ALGORITHM'
  /** The peer refused the handshake. */
  | 'ERR_HSMTLS_PEER_REFUSED'
  /** The peer does not speak TLS. */
  | 'ERR_HSMTLS_NOT_TLS'
  /** The connection broke. */
  | 'ERR_HSMTLS_CONNECTION_LOST'
  /** The key could not sign the handshake. */
  | 'ERR_HSMTLS_SIGNATURE_FAILED'
  /** The handshake failed. */
  | 'ERR_HSMTLS_HANDSHAKE_FAILED'
  /** It took longer than the deadline allows. */
  | 'ERR_HSMTLS_DEADLINE'
  /** The identity was closed. */
  | 'ERR_HSMTLS_IDENTITY_CLOSED'
  /** The operation was cancelled. */
  | 'ERR_HSMTLS_CANCELLED'
  /** The process exits. */
  | 'ERR_HSMTLS_EXITING'
  /** Something went wrong inside hsmtls. */
  | 'ERR_HSMTLS_INTERNAL'
  /** There is no memory left. */
  | 'ERR_HSMTLS_NO_MEMORY';
