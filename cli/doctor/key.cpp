#include <fmt/format.h>

#include "cli/doctor/steps.hpp"

namespace hsmtls::cli {
namespace {

bool is_about_login(int32_t code) {
  return code == HSMTLS_PIN_INCORRECT || code == HSMTLS_PIN_LOCKED || code == HSMTLS_PIN_REQUIRED ||
         code == HSMTLS_PIN_SOURCE || code == HSMTLS_NOT_LOGGED_IN || code == HSMTLS_CANCELLED;
}

struct property {
  uint32_t flag;
  const char* step;
  const char* yes;
  const char* no;
};
constexpr property wanted[] = {{HSMTLS_KEY_LOCAL,
                                "key-local",
                                "was generated in the token (CKA_LOCAL)",
                                "was not generated in the token (CKA_LOCAL)"},
                               {HSMTLS_KEY_ALWAYS_SENSITIVE,
                                "key-sensitive",
                                "has always been sensitive (CKA_ALWAYS_SENSITIVE)",
                                "has not always been sensitive (CKA_ALWAYS_SENSITIVE)"},
                               {HSMTLS_KEY_NEVER_EXTRACTABLE,
                                "key-extractable",
                                "was never extractable (CKA_NEVER_EXTRACTABLE)",
                                "is or was extractable (CKA_NEVER_EXTRACTABLE)"}};

void describe(checklist& list, const identity& key) {
  const hsmtls_identity_info info = key.info();
  list.holds("login", "the token shows us its keys");
  list.holds("key", fmt::format("{}: {}", info.key_name, info.key_uri));
  for (const property& one : wanted) {
    if ((info.key_flags & one.flag) != 0) {
      list.holds(one.step, one.yes);
    } else {
      list.warns(one.step, one.no, "a key that was generated in the token is safer: hsmtls keygen");
    }
  }
  if ((info.key_flags & HSMTLS_KEY_ALWAYS_AUTHENTICATE) != 0)
    list.notes("key-authenticate", "wants its PIN for each signature (CKA_ALWAYS_AUTHENTICATE)");
}

}  // namespace

std::optional<identity> check_key(checklist& list, const patient& of) {
  try {
    identity key = identity::open(of.in, of.uri, identity::certificates::left_out);
    describe(list, key);
    list.holds("public-half", "is in the token");
    return key;
  } catch (const problem& why) {
    if (why.code() == HSMTLS_CERTIFICATE_NOT_FOUND) {
      list.holds("key", "is in the token");
      list.warns("public-half",
                 "is not in the token: the certificate has to give it",
                 "import the certificate, if there is none yet");
    } else {
      list.fails(is_about_login(why.code()) ? "login" : "key", why);
    }
    return std::nullopt;
  }
}

}  // namespace hsmtls::cli
