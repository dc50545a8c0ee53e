#include "cli/tls/handshake.hpp"

#include <fmt/format.h>

#include "cli/openssl/certificates.hpp"
#include "cli/tls/signature_scheme.hpp"

namespace hsmtls::cli {
namespace {

std::string signature_text(int type, int digest) {
  const char* const name = digest != NID_undef ? OBJ_nid2sn(digest) : "";
  switch (type) {
    case NID_undef:
      return "";
    case EVP_PKEY_RSA:
      return fmt::format("RSA PKCS#1 v1.5 with {}", name);
    case EVP_PKEY_RSA_PSS:
      return fmt::format("RSA-PSS with {}", name);
    case EVP_PKEY_EC:
      return fmt::format("ECDSA with {}", name);
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return OBJ_nid2sn(type);
  }
}

std::string own_signature(const SSL* connection) {
  int type = NID_undef;
  int digest = NID_undef;
  (void)SSL_get_signature_type_nid(connection, &type);
  (void)SSL_get_signature_nid(const_cast<SSL*>(connection), &digest);
  return signature_text(type, digest);
}

std::string peer_signature(const SSL* connection) {
  int type = NID_undef;
  int digest = NID_undef;
  (void)SSL_get_peer_signature_type_nid(connection, &type);
  (void)SSL_get_peer_signature_nid(const_cast<SSL*>(connection), &digest);
  return signature_text(type, digest);
}

std::vector<peer_certificate> chain_of(const SSL* connection) {
  std::vector<peer_certificate> chain;
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    const X509* const one = sk_X509_value(sent, i);
    chain.push_back({subject_of(one), issuer_of(one), time_text(X509_get0_notAfter(one))});
  }
  return chain;
}

// As the server listed them when it asked for a certificate.
std::vector<std::string> accepted_schemes(SSL* connection) {
  std::vector<std::string> names;
  unsigned char low = 0;
  unsigned char high = 0;
  for (int i = 0; SSL_get_sigalgs(connection, i, nullptr, nullptr, nullptr, &low, &high) > i; ++i)
    names.push_back(scheme_name(static_cast<uint16_t>(high << 8U | low)));
  return names;
}

const char* name_of(verdict said) {
  switch (said) {
    case verdict::let_in:
      return "let_in";
    case verdict::hung_up:
      return "hung_up";
    case verdict::silent:
      break;
  }
  return "silent";
}

}  // namespace

handshake describe(SSL* connection) {
  handshake made;
  made.resumed = SSL_session_reused(connection) == 1;
  made.version = SSL_get_version(connection);
  made.cipher = SSL_get_cipher_name(connection);
  if (const long group = SSL_get_negotiated_group(connection); group != NID_undef) {
    const char* const name = SSL_group_to_name(connection, static_cast<int>(group));
    made.group = name != nullptr ? name : "";
  }
  const unsigned char* alpn = nullptr;
  unsigned alpn_length = 0;
  SSL_get0_alpn_selected(connection, &alpn, &alpn_length);
  if (alpn != nullptr) made.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_length);
  if (!made.resumed) {
    made.peer_signature = peer_signature(connection);
    made.own_signature = own_signature(connection);
    made.accepted_schemes = accepted_schemes(connection);
  }
  made.chain = chain_of(connection);
  return made;
}

std::string why_unsigned(const handshake& what, const hsmtls_identity_info& key) {
  if (what.accepted_schemes.empty() || !what.own_signature.empty()) return "";
  std::vector<std::string> own;
  for (const signature_scheme& one : schemes_for(key)) own.emplace_back(one.name);
  return fmt::format("the server takes {}, and the key ({}) signs by {}",
                     fmt::join(what.accepted_schemes, ", "),
                     key.key_name,
                     fmt::join(own, ", "));
}

json to_json(const handshake& what) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json() : json(text); };
  json chain = json::array();
  for (const peer_certificate& one : what.chain) {
    chain.push_back(
        {{"subject", one.subject}, {"issuer", one.issuer}, {"not_after", one.not_after}});
  }
  json signatures = json::array();
  for (const signature_event& one : what.signatures) {
    signatures.push_back(
        {{"mechanism", mechanism_name(one.mechanism)}, {"microseconds", one.microseconds}});
  }
  return {{"resumed", what.resumed},
          {"version", what.version},
          {"cipher", what.cipher},
          {"group", or_null(what.group)},
          {"alpn", or_null(what.alpn)},
          {"peer_signature", or_null(what.peer_signature)},
          {"own_signature", or_null(what.own_signature)},
          {"asked_for_certificate", !what.accepted_schemes.empty()},
          {"accepted_signatures", what.accepted_schemes},
          {"verdict", name_of(what.said)},
          {"peer_chain", chain},
          {"token_signatures", signatures},
          {"milliseconds", what.milliseconds}};
}

}  // namespace hsmtls::cli
