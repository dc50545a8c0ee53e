// Generated from core/error_codes.def by scripts/generate_errors.py: edit that.
#pragma once

#include "hsmtls/errors.h"

namespace hsmtls {

enum class error_class {
  config = HSMTLS_CATEGORY_CONFIG,
  token = HSMTLS_CATEGORY_TOKEN,
  certificate = HSMTLS_CATEGORY_CERTIFICATE,
  handshake = HSMTLS_CATEGORY_HANDSHAKE,
  timeout = HSMTLS_CATEGORY_TIMEOUT,
  closed = HSMTLS_CATEGORY_CLOSED,
  internal = HSMTLS_CATEGORY_INTERNAL,
};

enum class errc {
  // An argument or option is not valid.
  bad_argument = HSMTLS_BAD_ARGUMENT,
  // The PKCS#11 URI is malformed.
  malformed_uri = HSMTLS_MALFORMED_URI,
  // The PEM text is malformed, or not of the expected kind.
  malformed_pem = HSMTLS_MALFORMED_PEM,
  // A file or folder cannot be read or written.
  file_unreadable = HSMTLS_FILE_UNREADABLE,
  // The PKCS#11 module is missing, or cannot be loaded or initialised.
  module_unusable = HSMTLS_MODULE_UNUSABLE,
  // The source of the PIN cannot be read.
  pin_source = HSMTLS_PIN_SOURCE,
  // This process has no OpenSSL 3 that can be used from outside.
  openssl_unusable = HSMTLS_OPENSSL_UNUSABLE,
  // An object belongs to another copy of OpenSSL than the one in use.
  openssl_foreign = HSMTLS_OPENSSL_FOREIGN,
  // This process has several copies of OpenSSL, and nothing says which one is meant.
  openssl_ambiguous = HSMTLS_OPENSSL_AMBIGUOUS,
  // Keys by libp11 cannot be made here.
  legacy_unusable = HSMTLS_LEGACY_UNUSABLE,
  // The token refused the PIN.
  pin_incorrect = HSMTLS_PIN_INCORRECT,
  // The token wants a PIN, and none was given.
  pin_required = HSMTLS_PIN_REQUIRED,
  // The PIN is locked, or on its last try.
  pin_locked = HSMTLS_PIN_LOCKED,
  // No token fits the URI.
  token_not_found = HSMTLS_TOKEN_NOT_FOUND,
  // No object of the token fits the URI.
  key_not_found = HSMTLS_KEY_NOT_FOUND,
  // Several tokens or objects fit the URI.
  ambiguous = HSMTLS_AMBIGUOUS,
  // The login is gone and cannot be had again without the user.
  not_logged_in = HSMTLS_NOT_LOGGED_IN,
  // The token is away.
  token_lost = HSMTLS_TOKEN_LOST,
  // Another token is where this one was.
  token_replaced = HSMTLS_TOKEN_REPLACED,
  // Another key is where this one was.
  key_replaced = HSMTLS_KEY_REPLACED,
  // A call inside the PKCS#11 module does not return.
  module_stuck = HSMTLS_MODULE_STUCK,
  // An object of that name is already in the token.
  exists = HSMTLS_EXISTS,
  // Somebody in this process uses the token.
  in_use = HSMTLS_IN_USE,
  // The token or the key cannot do this.
  unsupported = HSMTLS_UNSUPPORTED,
  // The key lacks a property that was required of it.
  key_policy = HSMTLS_KEY_POLICY,
  // The PKCS#11 module reported an error.
  token_error = HSMTLS_TOKEN_ERROR,
  // There is no certificate for the key.
  certificate_not_found = HSMTLS_CERTIFICATE_NOT_FOUND,
  // A certificate cannot be read.
  certificate_malformed = HSMTLS_CERTIFICATE_MALFORMED,
  // The certificate is for another key.
  certificate_mismatch = HSMTLS_CERTIFICATE_MISMATCH,
  // The certificates do not make one chain.
  chain_broken = HSMTLS_CHAIN_BROKEN,
  // The trusted certificates cannot be read, or there are none.
  trust_unusable = HSMTLS_TRUST_UNUSABLE,
  // The peer's certificate is not signed by anybody who is trusted.
  peer_untrusted = HSMTLS_PEER_UNTRUSTED,
  // A certificate of the peer is expired, or not yet valid.
  peer_expired = HSMTLS_PEER_EXPIRED,
  // The peer's certificate is for another name.
  peer_wrong_host = HSMTLS_PEER_WRONG_HOST,
  // The peer's certificate cannot be accepted.
  peer_certificate = HSMTLS_PEER_CERTIFICATE,
  // The two sides have no version of TLS in common.
  protocol_version = HSMTLS_PROTOCOL_VERSION,
  // The two sides have no signature algorithm or cipher in common.
  no_common_algorithm = HSMTLS_NO_COMMON_ALGORITHM,
  // The peer refused the handshake.
  peer_refused = HSMTLS_PEER_REFUSED,
  // The peer does not speak TLS.
  not_tls = HSMTLS_NOT_TLS,
  // The connection broke.
  connection_lost = HSMTLS_CONNECTION_LOST,
  // The key could not sign the handshake.
  signature_failed = HSMTLS_SIGNATURE_FAILED,
  // The handshake failed.
  handshake_failed = HSMTLS_HANDSHAKE_FAILED,
  // It took longer than the deadline allows.
  deadline = HSMTLS_DEADLINE,
  // The identity was closed.
  identity_closed = HSMTLS_IDENTITY_CLOSED,
  // The operation was cancelled.
  cancelled = HSMTLS_CANCELLED,
  // The process exits.
  exiting = HSMTLS_EXITING,
  // Something went wrong inside hsmtls.
  internal = HSMTLS_INTERNAL,
  // There is no memory left.
  no_memory = HSMTLS_NO_MEMORY,
};

// `sentence_of` returns what an error means, in one English sentence.
inline const char* sentence_of(errc code) noexcept {
  switch (code) {
    case errc::bad_argument:
      return "An argument or option is not valid.";
    case errc::malformed_uri:
      return "The PKCS#11 URI is malformed.";
    case errc::malformed_pem:
      return "The PEM text is malformed, or not of the expected kind.";
    case errc::file_unreadable:
      return "A file or folder cannot be read or written.";
    case errc::module_unusable:
      return "The PKCS#11 module is missing, or cannot be loaded or initialised.";
    case errc::pin_source:
      return "The source of the PIN cannot be read.";
    case errc::openssl_unusable:
      return "This process has no OpenSSL 3 that can be used from outside.";
    case errc::openssl_foreign:
      return "An object belongs to another copy of OpenSSL than the one in use.";
    case errc::openssl_ambiguous:
      return "This process has several copies of OpenSSL, and nothing says which one is meant.";
    case errc::legacy_unusable:
      return "Keys by libp11 cannot be made here.";
    case errc::pin_incorrect:
      return "The token refused the PIN.";
    case errc::pin_required:
      return "The token wants a PIN, and none was given.";
    case errc::pin_locked:
      return "The PIN is locked, or on its last try.";
    case errc::token_not_found:
      return "No token fits the URI.";
    case errc::key_not_found:
      return "No object of the token fits the URI.";
    case errc::ambiguous:
      return "Several tokens or objects fit the URI.";
    case errc::not_logged_in:
      return "The login is gone and cannot be had again without the user.";
    case errc::token_lost:
      return "The token is away.";
    case errc::token_replaced:
      return "Another token is where this one was.";
    case errc::key_replaced:
      return "Another key is where this one was.";
    case errc::module_stuck:
      return "A call inside the PKCS#11 module does not return.";
    case errc::exists:
      return "An object of that name is already in the token.";
    case errc::in_use:
      return "Somebody in this process uses the token.";
    case errc::unsupported:
      return "The token or the key cannot do this.";
    case errc::key_policy:
      return "The key lacks a property that was required of it.";
    case errc::token_error:
      return "The PKCS#11 module reported an error.";
    case errc::certificate_not_found:
      return "There is no certificate for the key.";
    case errc::certificate_malformed:
      return "A certificate cannot be read.";
    case errc::certificate_mismatch:
      return "The certificate is for another key.";
    case errc::chain_broken:
      return "The certificates do not make one chain.";
    case errc::trust_unusable:
      return "The trusted certificates cannot be read, or there are none.";
    case errc::peer_untrusted:
      return "The peer's certificate is not signed by anybody who is trusted.";
    case errc::peer_expired:
      return "A certificate of the peer is expired, or not yet valid.";
    case errc::peer_wrong_host:
      return "The peer's certificate is for another name.";
    case errc::peer_certificate:
      return "The peer's certificate cannot be accepted.";
    case errc::protocol_version:
      return "The two sides have no version of TLS in common.";
    case errc::no_common_algorithm:
      return "The two sides have no signature algorithm or cipher in common.";
    case errc::peer_refused:
      return "The peer refused the handshake.";
    case errc::not_tls:
      return "The peer does not speak TLS.";
    case errc::connection_lost:
      return "The connection broke.";
    case errc::signature_failed:
      return "The key could not sign the handshake.";
    case errc::handshake_failed:
      return "The handshake failed.";
    case errc::deadline:
      return "It took longer than the deadline allows.";
    case errc::identity_closed:
      return "The identity was closed.";
    case errc::cancelled:
      return "The operation was cancelled.";
    case errc::exiting:
      return "The process exits.";
    case errc::internal:
      return "Something went wrong inside hsmtls.";
    case errc::no_memory:
      return "There is no memory left.";
  }
  return "An error that this version of the headers does not know.";
}

}  // namespace hsmtls
