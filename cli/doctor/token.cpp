#include <fmt/format.h>

#include "cli/doctor/steps.hpp"
#include "cli/library/handles.hpp"
#include "cli/library/uri.hpp"
#include "cli/pin/source.hpp"
#include "cli/terminal/prompt.hpp"

namespace hsmtls::cli {
namespace {

// The token that the library has found for the URI, for its flags. Nothing: by these attributes alone
// it cannot be told.
std::optional<token> token_of(const patient& of) {
  const std::vector<token> all = tokens_that_fit(of.in.module(), of.uri);
  if (all.size() != 1) return std::nullopt;
  return all.front();
}

bool check_state(checklist& list, const token& found) {
  const std::string trouble = found.trouble();
  if (trouble.empty()) {
    list.holds("token-state",
               found.has(token_flag::pin_pad) ? "initialised; the PIN is typed on the token itself"
                                              : "initialised, user PIN set, no wrong PIN tried");
    return true;
  }
  const auto fails = [&](const char* advice) {
    list.fails("token-state", trouble, advice);
    return false;
  };
  if (found.has(token_flag::pin_locked))
    return fails("have its security officer (SO PIN) set a new user PIN");
  if (found.has(token_flag::pin_final_try)) {
    return fails(
        "one more mistake locks it: make sure that the PIN is right, then log in once with "
        "HSMTLS_FINAL_TRY=allow");
  }
  if (found.has(token_flag::pin_to_be_changed)) return fails("change it: hsmtls pin URI");
  if (!found.has(token_flag::pin_set))
    return fails("initialise it: hsmtls init URI --label LABEL (erases it)");
  list.warns("token-state",
             trouble,
             "a login with the right PIN usually resets the count; SoftHSM says so for ever");
  return true;
}

bool check_readable(checklist& list, const std::string& source, const char* from) {
  try {
    (void)read_pin_source(source);
  } catch (const problem& why) {
    list.fails("pin-source", why);
    return false;
  }
  list.holds("pin-source", fmt::format("{}: {} can be read", from, source));
  return true;
}

}  // namespace

bool check_uri(checklist& list, const patient& of) {
  try {
    hsmtls_text* ignored = nullptr;
    checked(hsmtls_reference_pem_write, path_of(of.uri).c_str(), &ignored);
    (void)take(ignored);
    list.holds("uri", path_of(of.uri));
    return true;
  } catch (const problem& why) {
    list.fails("uri", why);
    return false;
  }
}

bool check_token(checklist& list, const patient& of) {
  try {
    demand_token(of.in.module(), of.uri);
    const std::optional<token> found = token_of(of);
    if (!found) {
      list.holds("token", "one token fits the URI");
      return true;
    }
    list.holds("token",
               fmt::format("'{}' (serial {}, {}) in slot {}",
                           found->label,
                           found->serial,
                           found->model,
                           found->slot_id));
    return check_state(list, *found);
  } catch (const problem& why) {
    list.fails("token", why);
    return false;
  }
}

bool check_pin_source(checklist& list, const patient& of) try {
  if (const std::optional<token> found = token_of(of); found && found->has(token_flag::pin_pad)) {
    list.notes("pin-source",
               "the PIN is typed at the token's own reader, again after each loss: nothing logs in "
               "by itself");
    return true;
  }
  const pkcs11::uri uri = parsed(of.uri);
  if (uri.pin_value) {
    list.warns("pin-source",
               "the PIN itself is in the URI, which ends up in logs and lists of processes",
               "use pin-source=file:/absolute/path in its place");
    return true;
  }
  if (uri.pin_source)
    return check_readable(list, pkcs11::pin_source_text(*uri.pin_source), "the URI");
  if (const auto source = configured_pin_source(of.all)) {
    return check_readable(
        list, *source, of.all.pin_source.empty() ? "HSMTLS_PIN_SOURCE" : "--pin-source");
  }
  if (has_terminal()) {
    list.notes("pin-source",
               "none is configured: asked for here. A service needs HSMTLS_PIN_SOURCE");
  } else {
    list.warns("pin-source",
               "none is configured, and there is no terminal to ask on",
               "say where the PIN is with --pin-source or HSMTLS_PIN_SOURCE");
  }
  return true;
} catch (const problem& why) {
  list.fails("pin-source", why);
  return false;
}

}  // namespace hsmtls::cli
