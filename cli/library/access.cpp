#include "cli/library/access.hpp"

#include <fmt/format.h>

#include "cli/library/uri.hpp"
#include "cli/pin/source.hpp"
#include "cli/terminal/prompt.hpp"
#include "cli/terminal/style.hpp"

namespace hsmtls::cli {
namespace {

int32_t note_token(void* user, const char* token_label, uint8_t* /*out*/, uint32_t /*capacity*/) {
  *static_cast<std::optional<std::string>*>(user) = token_label;
  return -1;
}

}  // namespace

bool access::may_have_pin(const std::string& uri) const {
  return has_pin(uri) || has_terminal();
}

bool access::has_pin(const std::string& uri) const {
  if (typed_) return !typed_->empty();
  return names_pin(uri) || configured_pin_source(all_);
}

access::login::login(const access& of,
                     const std::string& uri,
                     std::optional<std::string>& asked_by) {
  made_.struct_size = sizeof made_;
  if (of.typed_) {
    if (of.typed_->empty()) return;  // what the token shows without
    made_.pin = of.typed_->data();
    made_.pin_len = of.typed_->size();
  } else if (!of.all_.pin_source.empty()) {
    made_.pin_source = of.all_.pin_source.c_str();
  } else if (!names_pin(uri) && !configured_pin_source(of.all_) && has_terminal()) {
    made_.pin_fn = note_token;
    made_.pin_user = &asked_by;
  }
}

void access::explain_or_ask(const problem& why, const std::optional<std::string>& token) {
  if (typed_) throw why;
  if (!token) {
    throw problem(
        why.code(),
        "the token wants a PIN, and there is no terminal to ask for it on: say where it is "
        "with --pin-source file:/absolute/path, env:NAME or credential:NAME, or set "
        "HSMTLS_PIN_SOURCE");
  }
  typed_ = ask_secret(fmt::format("PIN of token '{}': ", printable(*token)));
  if (!typed_) throw problem(HSMTLS_CANCELLED, "no PIN was typed; nothing was done");
}

}  // namespace hsmtls::cli
