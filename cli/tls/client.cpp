#include "cli/tls/client.hpp"

#include <fmt/format.h>

#include <new>

#include "cli/library/problem.hpp"
#include "cli/openssl/certificates.hpp"
#include "cli/tls/socket.hpp"
#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::cli {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 10s;
// In TLS 1.3 a client is done before the server has looked at its certificate (RFC 8446 section 2): a
// refusal comes as the first thing that is read. A server that only listens sends nothing at all.
constexpr auto verdict_patience = 3s;

uint32_t version_number(const std::string& text) {
  if (text.empty()) return 0;
  return text == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

[[noreturn]] void explain(SSL* connection, int result) {
  hsmtls_error* error = nullptr;
  const int32_t code = hsmtls_ssl_explain(connection, result, &error);
  throw problem_of(code, error);
}

[[noreturn]] void out_of_time(const char* what) {
  throw problem(
      HSMTLS_DEADLINE,
      fmt::format("{} took longer than {} seconds; is it TLS that the server speaks there?",
                  what,
                  patience.count()));
}

// Waits for what OpenSSL waits for. failed: it waits for nothing.
enum class turn { again, late, failed };
turn wait_for(SSL* connection, int result, const tcp_socket& on, time_point until) {
  switch (SSL_get_error(connection, result)) {
    case SSL_ERROR_WANT_READ:
      return on.wait_readable(until) ? turn::again : turn::late;
    case SSL_ERROR_WANT_WRITE:
      return on.wait_writable(until) ? turn::again : turn::late;
    default:
      return turn::failed;
  }
}

void shake_hands(SSL* connection, const tcp_socket& on, time_point until) {
  for (;;) {
    const int result = SSL_connect(connection);
    if (result == 1) return;
    switch (wait_for(connection, result, on, until)) {
      case turn::again:
        break;
      case turn::late:
        out_of_time("the handshake");
      case turn::failed:
        explain(connection, result);
    }
  }
}

// Whether there is nothing more to wait for: a session that can be resumed, which a server gives to
// whom it has let in. A resumed connection begins with the one that it used up.
bool is_let_in(const SSL* connection, const SSL_SESSION* used_up) {
  if (SSL_version(connection) < TLS1_3_VERSION) return true;
  const SSL_SESSION* const session = SSL_get0_session(connection);
  return session != nullptr && session != used_up && SSL_SESSION_is_resumable(session) == 1;
}

void await_verdict(SSL* connection, const tcp_socket& on, time_point until) {
  const SSL_SESSION* const used_up =
      SSL_session_reused(connection) == 1 ? SSL_get0_session(connection) : nullptr;
  for (;;) {
    char ignored = 0;
    const int result = SSL_peek(connection, &ignored, 1);
    if (result > 0 || is_let_in(connection, used_up)) return;
    if (SSL_get_error(connection, result) == SSL_ERROR_ZERO_RETURN) return;
    switch (wait_for(connection, result, on, until)) {
      case turn::again:
        break;
      case turn::late:
        return;
      case turn::failed:
        explain(connection, result);
    }
  }
}

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
  }
  made.chain = chain_of(connection);
  return made;
}

}  // namespace

tls_client::tls_client(const identity& key, address to, const client_options& how)
    : key_(key),
      to_(std::move(to)),
      server_name_(how.server_name.empty() ? to_.host : how.server_name) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
  };
  hsmtls_trust trust{};
  trust.struct_size = sizeof trust;
  trust.system = how.system_trust ? 1 : 0;
  trust.file = or_null(how.certificate_file);
  trust.folder = or_null(how.certificate_folder);
  hsmtls_tls_options options{};
  options.struct_size = sizeof options;
  options.role = HSMTLS_CLIENT;
  options.server_name = server_name_.c_str();
  options.trust = &trust;
  options.alpn = or_null(how.alpn);
  options.min_version = version_number(how.version);
  options.max_version = version_number(how.version);
  SSL_CTX* made = nullptr;
  checked(hsmtls_identity_make_ssl_ctx, key_.get(), &options, &made);
  context_.reset(made);
}

handshake tls_client::connect() {
  const time_point until = steady_clock::now() + patience;
  const tcp_socket on(to_, until);
  const ssl_connection connection(SSL_new(context_.get()));
  if (!connection || SSL_set_fd(connection.get(), on.number()) != 1) throw std::bad_alloc();
  // RFC 6066 section 3: an address is no name.
  if (!is_ip_address(server_name_))
    SSL_set_tlsext_host_name(connection.get(), server_name_.c_str());
  checked(hsmtls_ssl_resume, connection.get());
  (void)key_.take_signatures();
  const time_point start = steady_clock::now();
  shake_hands(connection.get(), on, until);
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - start;
  handshake made = describe(connection.get());
  made.milliseconds = took.count();
  made.signatures = key_.take_signatures();
  await_verdict(connection.get(), on, steady_clock::now() + verdict_patience);
  (void)SSL_shutdown(connection.get());
  return made;
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
          {"peer_chain", chain},
          {"token_signatures", signatures},
          {"milliseconds", what.milliseconds}};
}

}  // namespace hsmtls::cli
