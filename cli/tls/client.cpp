#include "cli/tls/client.hpp"

#include <fmt/format.h>

#include <new>

#include "cli/library/problem.hpp"
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

verdict await_verdict(SSL* connection, const tcp_socket& on, time_point until) {
  const SSL_SESSION* const used_up =
      SSL_session_reused(connection) == 1 ? SSL_get0_session(connection) : nullptr;
  for (;;) {
    char ignored = 0;
    const int result = SSL_peek(connection, &ignored, 1);
    if (result > 0 || is_let_in(connection, used_up)) return verdict::let_in;
    if (SSL_get_error(connection, result) == SSL_ERROR_ZERO_RETURN) return verdict::hung_up;
    switch (wait_for(connection, result, on, until)) {
      case turn::again:
        break;
      case turn::late:
        return verdict::silent;
      case turn::failed:
        explain(connection, result);
    }
  }
}

}  // namespace

tls_client::tls_client(const identity& key, address to, const client_options& how)
    : key_(key),
      to_(std::move(to)),
      server_name_(server_name_of(how.server_name.empty() ? to_.host : how.server_name)) {
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
  const tcp_socket on(to_, steady_clock::now() + patience);
  const ssl_connection connection(SSL_new(context_.get()));
  if (!connection || SSL_set_fd(connection.get(), on.number()) != 1) throw std::bad_alloc();
  // RFC 6066 section 3: an address is no name.
  if (!is_ip_address(server_name_))
    SSL_set_tlsext_host_name(connection.get(), server_name_.c_str());
  checked(hsmtls_ssl_resume, connection.get());
  (void)key_.take_signatures();
  const time_point start = steady_clock::now();
  shake_hands(connection.get(), on, start + patience);
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - start;
  handshake made = describe(connection.get());
  made.milliseconds = took.count();
  made.signatures = key_.take_signatures();
  made.said = await_verdict(connection.get(), on, steady_clock::now() + verdict_patience);
  (void)SSL_shutdown(connection.get());
  return made;
}

}  // namespace hsmtls::cli
