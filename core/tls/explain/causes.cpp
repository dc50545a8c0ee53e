#include "core/tls/explain/causes.hpp"

#include <algorithm>
#include <array>

#include "core/keys/host/openssl.hpp"

namespace hsmtls::tls {
namespace {

using host::ssl;

std::string version_name(long version) {
  switch (version) {
    case SSL3_VERSION:
      return "SSL 3.0";
    case TLS1_VERSION:
      return "TLS 1.0";
    case TLS1_1_VERSION:
      return "TLS 1.1";
    case TLS1_2_VERSION:
      return "TLS 1.2";
    case TLS1_3_VERSION:
      return "TLS 1.3";
    default:
      return "an unknown version";
  }
}

std::string our_versions(const SSL* connection) {
  auto* const one = const_cast<SSL*>(connection);  // SSL_ctrl has no const form
  const long least = ssl().SSL_ctrl(one, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, nullptr);
  const long most = ssl().SSL_ctrl(one, SSL_CTRL_GET_MAX_PROTO_VERSION, 0, nullptr);
  std::string text = ". This side accepts ";
  if (least != 0 && least == most) return text + version_name(least) + " only";
  text += least != 0 ? version_name(least) : "every version";
  if (most != 0) return text + " to " + version_name(most);
  return text + (least != 0 ? " and newer" : "");
}

// A server has seen the newest version of its client, up to TLS 1.2; a client only what its server
// chose.
std::string both_versions(const SSL* connection) {
  if (ssl().SSL_is_server(connection) == 0) {
    return ": it chose an older one" + our_versions(connection);
  }
  const long newest = ssl().SSL_client_version(connection);
  const long most =
      ssl().SSL_ctrl(const_cast<SSL*>(connection), SSL_CTRL_GET_MAX_PROTO_VERSION, 0, nullptr);
  if (most != 0 && most < newest) {
    return ": the client demands a newer one" + our_versions(connection);
  }
  return ": the client speaks " + version_name(newest) + " at most" + our_versions(connection);
}

bool has_certificate(const SSL* connection) {
  return ssl().SSL_get_certificate(connection) != nullptr;
}

std::string own_certificate(const SSL* connection) {
  if (ssl().SSL_is_server(connection) == 1 || has_certificate(connection)) return "";
  return ". This context has none: apply an identity to it";
}
std::string perhaps_certificate(const SSL* connection) {
  if (was_asked_for_certificate(connection) && !has_certificate(connection)) {
    return ". It asked for a certificate, and this context has none: apply an identity to it";
  }
  return ". Often the two sides have no cipher or signature algorithm in common; the peer's log "
         "tells more";
}
std::string server_certificate(const SSL* connection) {
  if (ssl().SSL_is_server(connection) == 0 || has_certificate(connection)) return "";
  return ". This context has no certificate at all: apply an identity to it";
}

constexpr std::array reasons{
    cause{SSL_R_UNSUPPORTED_PROTOCOL,
          HSMTLS_PROTOCOL_VERSION,
          "the peer speaks no version of TLS that is accepted here",
          both_versions},
    cause{SSL_R_UNKNOWN_PROTOCOL,
          HSMTLS_PROTOCOL_VERSION,
          "the peer speaks no version of TLS that is accepted here",
          both_versions},
    cause{SSL_R_WRONG_SSL_VERSION,
          HSMTLS_PROTOCOL_VERSION,
          "the peer speaks no version of TLS that is accepted here",
          both_versions},
    cause{SSL_R_VERSION_TOO_LOW,
          HSMTLS_PROTOCOL_VERSION,
          "the peer speaks no version of TLS that is accepted here",
          both_versions},
    cause{SSL_R_INAPPROPRIATE_FALLBACK,
          HSMTLS_PROTOCOL_VERSION,
          "the client fell back to an older version of TLS than both sides have",
          our_versions},
    cause{SSL_R_NO_PROTOCOLS_AVAILABLE,
          HSMTLS_PROTOCOL_VERSION,
          "the options and openssl.cnf together leave no version of TLS",
          our_versions},
    cause{SSL_R_NO_SHARED_CIPHER,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the client offers no cipher that fits this side's key and settings: its kind of key may "
          "be unknown to the client, or the cipher list of one side is too narrow",
          server_certificate},
    cause{SSL_R_NO_CIPHERS_AVAILABLE,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the settings of this context leave no cipher for the versions of TLS that it speaks"},
    cause{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the two sides accept no signature algorithm in common: see SignatureAlgorithms and "
          "SECLEVEL on both sides"},
    cause{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the peer accepts no signature algorithm that the key on this side can do: use a key of "
          "another kind (P-256 is understood by nearly all), or widen what the peer accepts",
          server_certificate},
    cause{SSL_R_WRONG_SIGNATURE_TYPE,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the peer signed by an algorithm that is not accepted on this side"},
    cause{SSL_R_NO_SUITABLE_KEY_SHARE,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the two sides have no group for the key exchange in common: see Groups on both sides"},
    cause{SSL_R_NO_SUITABLE_GROUPS,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the settings of this context leave no group for the key exchange"},
    cause{SSL_R_DH_KEY_TOO_SMALL,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the peer's Diffie-Hellman key is too short for this side's security level"},
    cause{SSL_R_NO_APPLICATION_PROTOCOL,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the client offers none of the application protocols of this side (ALPN)"},
    cause{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
          HSMTLS_PEER_CERTIFICATE,
          "the client showed no certificate, and one is demanded"},
    cause{SSL_R_EE_KEY_TOO_SMALL,
          HSMTLS_PEER_CERTIFICATE,
          "the key in the peer's certificate is too short for this side's security level"},
    cause{SSL_R_BAD_SIGNATURE,
          HSMTLS_PEER_CERTIFICATE,
          "the peer's signature is wrong: it does not have the key of its certificate"},
    cause{SSL_R_HTTP_REQUEST, HSMTLS_NOT_TLS, "the peer speaks HTTP without TLS on this port"},
    cause{SSL_R_HTTPS_PROXY_REQUEST,
          HSMTLS_NOT_TLS,
          "the peer speaks to this port as to an HTTP proxy"},
    cause{SSL_R_WRONG_VERSION_NUMBER,
          HSMTLS_NOT_TLS,
          "what the peer sent is not TLS. Is this the port for TLS (8883 for MQTT, 443 for HTTPS), "
          "and does a proxy answer in its place?"},
    cause{SSL_R_UNEXPECTED_EOF_WHILE_READING,
          HSMTLS_CONNECTION_LOST,
          "the peer hung up without a word. During a handshake: something in between may not let "
          "it through, or the peer refuses this address or certificate"}};

constexpr std::array alerts{
    cause{SSL_AD_HANDSHAKE_FAILURE,
          HSMTLS_PEER_REFUSED,
          "the peer ended the handshake without saying why (handshake_failure)",
          perhaps_certificate},
    cause{SSL_AD_BAD_CERTIFICATE,
          HSMTLS_PEER_REFUSED,
          "the peer does not accept our certificate (bad_certificate)"},
    cause{SSL_AD_UNSUPPORTED_CERTIFICATE,
          HSMTLS_PEER_REFUSED,
          "the peer does not accept our kind of certificate (unsupported_certificate): its key "
          "usage must allow what it is used for"},
    cause{
        SSL_AD_CERTIFICATE_REVOKED,
        HSMTLS_PEER_REFUSED,
        "our certificate was revoked, says the peer (certificate_revoked). Have a new one issued"},
    cause{SSL_AD_CERTIFICATE_EXPIRED,
          HSMTLS_PEER_REFUSED,
          "our certificate has expired or is not yet valid, says the peer (certificate_expired). "
          "Have it renewed, or see to the peer's clock"},
    cause{SSL_AD_CERTIFICATE_UNKNOWN,
          HSMTLS_PEER_REFUSED,
          "the peer does not accept our certificate (certificate_unknown)"},
    cause{
        SSL_AD_UNKNOWN_CA,
        HSMTLS_PEER_REFUSED,
        "the peer does not trust the authority that issued our certificate (unknown_ca). Register "
        "that authority with the peer, or give the intermediate certificates along with the "
        "identity's"},
    cause{SSL_AD_ACCESS_DENIED,
          HSMTLS_PEER_REFUSED,
          "the peer knows our certificate, and denies access (access_denied)"},
    cause{SSL_AD_DECRYPT_ERROR,
          HSMTLS_PEER_REFUSED,
          "the peer could not verify our signature (decrypt_error): is the certificate for this "
          "key?"},
    cause{SSL_AD_PROTOCOL_VERSION,
          HSMTLS_PROTOCOL_VERSION,
          "the peer accepts none of the versions of TLS that this side offers (protocol_version)",
          our_versions},
    cause{SSL_AD_INAPPROPRIATE_FALLBACK,
          HSMTLS_PROTOCOL_VERSION,
          "the peer has a newer version of TLS in common with this side (inappropriate_fallback)",
          our_versions},
    cause{SSL_AD_INSUFFICIENT_SECURITY,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the peer demands stronger ciphers than this side offers (insufficient_security)"},
    cause{SSL_AD_NO_APPLICATION_PROTOCOL,
          HSMTLS_NO_COMMON_ALGORITHM,
          "the peer speaks none of the application protocols that this side offers (ALPN, "
          "no_application_protocol)"},
    cause{SSL_AD_UNRECOGNIZED_NAME,
          HSMTLS_PEER_REFUSED,
          "the peer does not serve the name that it was asked for (unrecognized_name): see "
          "SSL_set_tlsext_host_name"},
    cause{SSL_AD_CERTIFICATE_REQUIRED,
          HSMTLS_PEER_REFUSED,
          "the peer wants a certificate, and got none (certificate_required)",
          own_certificate},
    cause{SSL_AD_INTERNAL_ERROR,
          HSMTLS_PEER_REFUSED,
          "the peer had an error of its own (internal_error)"},
    cause{SSL_AD_USER_CANCELLED,
          HSMTLS_PEER_REFUSED,
          "the peer cancelled the handshake (user_canceled)"}};

template <class Table>
const cause* find(const Table& table, int number) {
  const auto* const found = std::find_if(
      table.begin(), table.end(), [&](const cause& one) { return one.number == number; });
  return found != table.end() ? found : nullptr;
}

}  // namespace

bool was_asked_for_certificate(const SSL* connection) {
  return ssl().SSL_is_server(connection) == 0 &&
         ssl().SSL_get_sigalgs(
             const_cast<SSL*>(connection), 0, nullptr, nullptr, nullptr, nullptr, nullptr) > 0;
}

const cause* cause_of_reason(int reason) {
  return find(reasons, reason);
}
const cause* cause_of_alert(int alert) {
  return find(alerts, alert);
}

}  // namespace hsmtls::tls
