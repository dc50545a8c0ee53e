#include "core/tls/explain/peer_certificate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "core/keys/identity/certificates.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/tls/objects.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

// As far as the verification came; leaf first, never empty where a sentence is made of it.
struct peer {
  const SSL* connection;
  std::vector<const X509*> chain;

  [[nodiscard]] const X509* leaf() const { return chain.front(); }
  [[nodiscard]] const X509* last() const { return chain.back(); }
};

std::string issuer_of(const X509* certificate) {
  return keys::name_of(crypto().X509_get_issuer_name(certificate));
}

std::string issuer_not_found(const peer& peer) {
  return "the peer's certificate " + keys::name_of(peer.leaf()) + " leads to the issuer " +
         issuer_of(peer.last()) +
         ", which is not among the trusted certificates. Trust that authority, if it is the right "
         "one; if a trusted one has signed it, the peer must send that intermediate certificate";
}
std::string signed_by_itself(const peer& peer) {
  return "the peer's certificate " + keys::name_of(peer.leaf()) +
         " is signed by itself, and is not among the trusted certificates. Trust it, if it is the "
         "right one";
}
std::string root_not_trusted(const peer& peer) {
  return "the peer's certificate " + keys::name_of(peer.leaf()) + " leads to the root " +
         keys::name_of(peer.last()) +
         ", which is not among the trusted certificates. Trust that root, if it is the right one";
}
std::string intermediate_trusted(const peer& peer) {
  return "the peer's certificate " + keys::name_of(peer.leaf()) + " leads to " +
         keys::name_of(peer.last()) + ", which is trusted, but is no root: its issuer " +
         issuer_of(peer.last()) + " is missing among the trusted certificates. Add it";
}

std::string date(const ASN1_TIME* time) {
  tm parts{};
  if (crypto().ASN1_TIME_to_tm(time, &parts) != 1) return "a date that cannot be read";
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}
std::string clock() {
  const time_t now = std::time(nullptr);
  tm parts{};
  std::array<char, 32> text{};
  gmtime_r(&now, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

std::string not_yet_valid(const peer& peer) {
  const X509* const latest = *std::max_element(
      peer.chain.begin(), peer.chain.end(), [](const X509* one, const X509* other) {
        return crypto().ASN1_TIME_compare(crypto().X509_get0_notBefore(one),
                                          crypto().X509_get0_notBefore(other)) < 0;
      });
  return "the peer's certificate " + keys::name_of(latest) + " is valid from " +
         date(crypto().X509_get0_notBefore(latest)) + " on, and this machine's clock says " +
         clock() + ": the clock may be wrong. Set it (NTP) before connecting";
}
std::string expired(const peer& peer) {
  const X509* const first = *std::min_element(
      peer.chain.begin(), peer.chain.end(), [](const X509* one, const X509* other) {
        return crypto().ASN1_TIME_compare(crypto().X509_get0_notAfter(one),
                                          crypto().X509_get0_notAfter(other)) < 0;
      });
  return "the peer's certificate " + keys::name_of(first) + " was valid until " +
         date(crypto().X509_get0_notAfter(first)) + ", and this machine's clock says " + clock() +
         ". Have it renewed";
}

std::string address(const unsigned char* bytes, int length) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = length == 4 ? AF_INET : AF_INET6;
  if ((length != 4 && length != 16) ||
      inet_ntop(family, bytes, text.data(), text.size()) == nullptr) {
    return "an address that cannot be read";
  }
  return text.data();
}

std::vector<std::string> names_in(const X509* certificate) {
  std::vector<std::string> found;
  auto* const all = static_cast<GENERAL_NAMES*>(
      crypto().X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; all != nullptr && i < count(all); ++i) {
    const auto* const one = item<const GENERAL_NAME>(all, i);
    if (one->type != GEN_DNS && one->type != GEN_IPADD) continue;
    const ASN1_STRING* const text = one->type == GEN_DNS ? one->d.dNSName : one->d.iPAddress;
    const unsigned char* const bytes = crypto().ASN1_STRING_get0_data(text);
    const int length = crypto().ASN1_STRING_length(text);
    found.push_back(pkcs11::quoted_name(
        one->type == GEN_DNS
            ? std::string(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length))
            : address(bytes, length)));
  }
  crypto().GENERAL_NAMES_free(all);
  if (found.empty()) found.push_back(keys::name_of(certificate));
  return found;
}

std::string name_wanted(const SSL* connection) {
  X509_VERIFY_PARAM* const parameters = ssl().SSL_get0_param(const_cast<SSL*>(connection));
  if (const char* const host = crypto().X509_VERIFY_PARAM_get0_host(parameters, 0)) return host;
  const host::openssl_memory<char> address(crypto().X509_VERIFY_PARAM_get1_ip_asc(parameters));
  return address ? address.get() : "";
}

std::string wrong_name(const peer& peer) {
  const std::vector<std::string> names = names_in(peer.leaf());
  return "the peer's certificate is for " + pkcs11::listed(names) + " and not for " +
         pkcs11::quoted_name(name_wanted(peer.connection)) +
         ". Connect by a name that it has, or have a certificate issued for this one";
}

struct row {
  long result;
  hsmtls_error_code code;
  std::string (*sentence)(const peer&);
};
constexpr std::array rows{
    row{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, HSMTLS_PEER_UNTRUSTED, issuer_not_found},
    row{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, HSMTLS_PEER_UNTRUSTED, issuer_not_found},
    row{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, HSMTLS_PEER_UNTRUSTED, intermediate_trusted},
    row{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, HSMTLS_PEER_UNTRUSTED, signed_by_itself},
    row{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, HSMTLS_PEER_UNTRUSTED, root_not_trusted},
    row{X509_V_ERR_CERT_UNTRUSTED, HSMTLS_PEER_UNTRUSTED, root_not_trusted},
    row{X509_V_ERR_CERT_NOT_YET_VALID, HSMTLS_PEER_EXPIRED, not_yet_valid},
    row{X509_V_ERR_CERT_HAS_EXPIRED, HSMTLS_PEER_EXPIRED, expired},
    row{X509_V_ERR_HOSTNAME_MISMATCH, HSMTLS_PEER_WRONG_HOST, wrong_name},
    row{X509_V_ERR_IP_ADDRESS_MISMATCH, HSMTLS_PEER_WRONG_HOST, wrong_name}};

}  // namespace

failure refused_certificate(const SSL* connection) {
  const long result = ssl().SSL_get_verify_result(connection);
  peer seen{connection, {}};
  if (const STACK_OF(X509)* const chain = ssl().SSL_get0_verified_chain(connection)) {
    for (int i = 0; i < count(chain); ++i) seen.chain.push_back(item<const X509>(chain, i));
  }
  if (!seen.chain.empty()) {
    const auto* const found = std::find_if(
        rows.begin(), rows.end(), [&](const row& one) { return one.result == result; });
    if (found != rows.end()) return {found->code, found->sentence(seen)};
  }
  const std::string whose = seen.chain.empty() ? "" : ' ' + keys::name_of(seen.leaf());
  return {HSMTLS_PEER_CERTIFICATE,
          "the peer's certificate" + whose +
              " was not accepted: " + crypto().X509_verify_cert_error_string(result)};
}

}  // namespace hsmtls::tls
