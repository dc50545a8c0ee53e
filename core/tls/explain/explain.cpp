#include "core/tls/explain/explain.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/tls/context_state.hpp"
#include "core/tls/explain/causes.hpp"
#include "core/tls/explain/peer_certificate.hpp"
#include "core/tls/resumption.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

struct queued {
  unsigned long code;
  std::string text;  // what was said along with it

  [[nodiscard]] bool is_of(int library) const { return ERR_GET_LIB(code) == library; }
  [[nodiscard]] int reason() const { return ERR_GET_REASON(code); }
  [[nodiscard]] std::string reason_words() const {
    const char* const words = crypto().ERR_reason_error_string(code);
    return words != nullptr ? words : "";
  }
  // Whether our provider, or one of our legacy halves, put it there.
  [[nodiscard]] bool is_ours() const {
    const char* const library = crypto().ERR_lib_error_string(code);
    return library != nullptr && std::string_view(library).substr(0, 6) == "hsmtls";
  }
};

std::vector<queued> empty_queue() {
  std::vector<queued> all;
  const char* text = nullptr;
  int flags = 0;
  while (const unsigned long code =
             crypto().ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags)) {
    all.push_back({code, (flags & ERR_TXT_STRING) != 0 ? text : ""});
  }
  return all;
}

failure with(failure problem, const queued& one) {
  return std::move(problem).because(one.code, one.reason_words());
}

// Our own signature. What the token said is in the queue; its CK_RV only the key remembers.
failure failed_signature(const SSL* connection, const queued& one) {
  const auto code = static_cast<hsmtls_error_code>(one.reason());
  uint64_t ckr = 0;
  const context_state* const state = context_state::of(connection);
  if (const std::shared_ptr<keys::token_key> key = state != nullptr ? state->key() : nullptr) {
    const std::optional<failure> last = key->last_error();
    if (last && last->message() == one.text) ckr = last->ckr();
  }
  switch (code) {
    case HSMTLS_DEADLINE:
    case HSMTLS_IDENTITY_CLOSED:
    case HSMTLS_CANCELLED:
    case HSMTLS_EXITING:
      return {code, one.text, ckr};
    default:
      return {HSMTLS_SIGNATURE_FAILED, "the key could not sign the handshake: " + one.text, ckr};
  }
}

failure of_cause(const SSL* connection, const cause& found) {
  std::string sentence = found.sentence;
  if (found.details != nullptr) sentence += found.details(connection);
  return {found.code, sentence};
}

// OpenSSL numbers the alerts that it received from here on.
constexpr int first_alert = SSL_AD_REASON_OFFSET;
constexpr int last_alert = first_alert + 255;

// A client that was asked for a certificate, has one, and could sign by nothing that the server
// accepts: OpenSSL then sends none, without a word.
bool could_not_sign(SSL* connection) {
  int digest = 0;
  return was_asked_for_certificate(connection) &&
         ssl().SSL_get_certificate(connection) != nullptr &&
         ssl().SSL_ctrl(connection, SSL_CTRL_GET_SIGNATURE_NID, 0, &digest) == 0;
}

failure of_alert(SSL* connection, const queued& one) {
  const int alert = one.reason() - first_alert;
  const cause* const found = cause_of_alert(alert);
  if (found == nullptr) {
    return {HSMTLS_PEER_REFUSED, "the peer ended the handshake: " + one.reason_words()};
  }
  if ((alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_HANDSHAKE_FAILURE) &&
      could_not_sign(connection)) {
    return {HSMTLS_NO_COMMON_ALGORITHM,
            std::string(found->sentence) +
                ". This side has a certificate and did not send it: the peer accepts no signature "
                "algorithm that its key can do. Use a key of another kind, or widen what the peer "
                "accepts"};
  }
  return of_cause(connection, *found);
}

std::optional<failure> of_queued(SSL* connection, const queued& one) {
  if (one.is_ours()) return failed_signature(connection, one);
  if (one.is_of(ERR_LIB_SYS)) {
    return failure(HSMTLS_CONNECTION_LOST,
                   std::string("the connection broke: ") + std::strerror(one.reason()));
  }
  if (!one.is_of(ERR_LIB_SSL)) return std::nullopt;
  if (one.reason() == SSL_R_CERTIFICATE_VERIFY_FAILED) return refused_certificate(connection);
  if (one.reason() >= first_alert && one.reason() <= last_alert) return of_alert(connection, one);
  const cause* const found = cause_of_reason(one.reason());
  return found != nullptr ? std::optional(of_cause(connection, *found)) : std::nullopt;
}

std::optional<failure> of_queue(SSL* connection, const std::vector<queued>& all) {
  // Ours first: what OpenSSL says about a signature that failed is that it failed.
  for (const bool only_ours : {true, false}) {
    for (const queued& one : all) {
      if (one.is_ours() != only_ours) continue;
      if (std::optional<failure> found = of_queued(connection, one)) {
        return with(*std::move(found), one);
      }
    }
  }
  if (all.empty()) return std::nullopt;
  const queued& last = all.back();
  return with(failure(HSMTLS_HANDSHAKE_FAILED,
                      "OpenSSL gave up: " + last.reason_words() +
                          (last.text.empty() ? "" : " (" + last.text + ")")),
              last);
}

std::optional<failure> read_failure(SSL* connection, int result) {
  const int system_error = errno;
  const int kind = ssl().SSL_get_error(connection, result);
  const std::vector<queued> all = empty_queue();
  switch (kind) {
    case SSL_ERROR_SSL:
    case SSL_ERROR_SYSCALL:
      break;
    case SSL_ERROR_ZERO_RETURN:
      return failure(HSMTLS_CONNECTION_LOST, "the peer ended the connection");
    default:
      return std::nullopt;
  }
  if (std::optional<failure> found = of_queue(connection, all)) return found;
  // As OpenSSL's manual has it: an empty queue, and no error of the system's, is an end without a word.
  if (system_error == 0) {
    return of_cause(connection, *cause_of_reason(SSL_R_UNEXPECTED_EOF_WHILE_READING));
  }
  return failure(HSMTLS_CONNECTION_LOST,
                 std::string("the connection broke: ") + std::strerror(system_error));
}

}  // namespace

std::optional<failure> explain(SSL* connection, int result) {
  std::optional<failure> found = read_failure(connection, result);
  const host::error_mark mark;
  if (found && ssl().SSL_is_init_finished(connection) == 0) forget_session(connection);
  return found;
}

}  // namespace hsmtls::tls
