// Identities through the C face, with a key of each kind in SoftHSM and the chaos module between.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hsmtls/hsmtls.h"
#include "hsmtls/hsmtls_openssl.h"
#include "tests/support/chaos.hpp"
#include "tests/support/leaks.hpp"
#include "tests/support/openssl.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::test {

struct identity_released {
  void operator()(hsmtls_identity* one) const { hsmtls_identity_release(one); }
};
using identity_ptr = std::unique_ptr<hsmtls_identity, identity_released>;

// What a function of the C face answered.
struct answer {
  int32_t code = HSMTLS_OK;
  std::string message;
  std::string ckr_name;

  answer() = default;
  answer(int32_t returned, hsmtls_error* error) : code(returned) {
    EXPECT_EQ(returned, hsmtls_error_code_of(error));
    message = hsmtls_error_message(error);
    ckr_name = hsmtls_error_ckr_name(error);
    EXPECT_THAT(message, testing::Not(testing::HasSubstr("pin-of-this-test")));
    hsmtls_error_free(error);
  }
  friend bool operator==(const answer& one, hsmtls_error_code code) { return one.code == code; }
  friend std::ostream& operator<<(std::ostream& out, const answer& one) {
    return out << hsmtls_code_name(one.code) << ": " << one.message;
  }
};

// `asked` calls a function of the C face whose last argument is an error.
template <class Function, class... Arguments>
answer asked(Function function, Arguments... arguments) {
  hsmtls_error* error = nullptr;
  const int32_t code = function(arguments..., &error);
  return {code, error};
}

struct open_options {
  std::string key;
  std::string certificate;
  std::optional<std::string> pin = "pin-of-this-test";
  std::string module = HSMTLS_TEST_CHAOS;
  uint32_t require = 0;
  uint32_t flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  uint32_t deadline_ms = 0;
  hsmtls_event_fn on_event = nullptr;
  void* event_user = nullptr;
  hsmtls_release_fn event_release = nullptr;
};

inline answer try_open(const open_options& from, identity_ptr& out) {
  hsmtls_login login{};
  login.struct_size = sizeof login;
  if (from.pin) {
    login.pin = reinterpret_cast<const uint8_t*>(from.pin->data());
    login.pin_len = static_cast<uint32_t>(from.pin->size());
  }
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.key = from.key.c_str();
  options.certificate = from.certificate.empty() ? nullptr : from.certificate.c_str();
  options.module = from.module.empty() ? nullptr : from.module.c_str();
  options.login = &login;
  options.require = from.require;
  options.flags = from.flags;
  options.deadline_ms = from.deadline_ms;
  options.on_event = from.on_event;
  options.event_user = from.event_user;
  options.event_release = from.event_release;
  hsmtls_identity* made = nullptr;
  const answer said = asked(hsmtls_identity_open, &options, &made);
  EXPECT_EQ(said.code == HSMTLS_OK, made != nullptr);
  out.reset(made);
  return said;
}

inline identity_ptr open(const open_options& from) {
  identity_ptr made;
  EXPECT_EQ(try_open(from, made), HSMTLS_OK);
  return made;
}

inline evp_key key_of(hsmtls_identity* identity, hsmtls_key_kind kind = HSMTLS_KEY_PROVIDER) {
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(asked(hsmtls_identity_evp_pkey, identity, static_cast<uint32_t>(kind), &made),
            HSMTLS_OK);
  return evp_key(made);
}

// The reasons on this thread's OpenSSL error queue, which is empty afterwards.
inline std::string openssl_errors() {
  std::string all;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* const reason = ERR_reason_error_string(code);
    all += std::string(reason != nullptr ? reason : "?") + " (" +
           ((flags & ERR_TXT_STRING) != 0 ? data : "") + ")\n";
  }
  return all;
}

// One key in the token.
struct token_key_spec {
  const char* label;
  hsmtls_generate_kind kind;
  uint32_t bits;
};
inline constexpr token_key_spec key_specs[] = {{"p256", HSMTLS_GENERATE_P256, 0},
                                               {"p384", HSMTLS_GENERATE_P384, 0},
                                               {"p521", HSMTLS_GENERATE_P521, 0},
                                               {"rsa", HSMTLS_GENERATE_RSA, 2048},
                                               {"ed25519", HSMTLS_GENERATE_ED25519, 0}};

class keys_in_softhsm : public testing::Test {
 protected:
  keys_in_softhsm() : token({"edge", "pin-of-this-test", "so-pin-of-this-test"}) {
    chaos::in_front_of(softhsm_module());
  }

  // Generates the key of that label (key_specs) if it is not there yet, and returns its URI.
  std::string with_key(const std::string& label) {
    const std::string uri = "pkcs11:token=edge;object=" + label;
    // SoftHSM 2.6.1 leaks the name of the curve, in libcrypto's memory, whenever it looks at such a key.
    if (label == "ed25519") expect_foreign_leaks();
    if (made_.insert(label).second) {
      for (const token_key_spec& one : key_specs) {
        if (label == one.label) {
          EXPECT_EQ(generate(uri, one.kind, one.bits), HSMTLS_OK);
        }
      }
    }
    return uri;
  }

  answer generate(const std::string& uri, uint32_t kind, uint32_t bits = 0) {
    const std::string& pin = token.user_pin();
    hsmtls_login login{};
    login.struct_size = sizeof login;
    login.pin = reinterpret_cast<const uint8_t*>(pin.data());
    login.pin_len = static_cast<uint32_t>(pin.size());
    return asked(hsmtls_key_generate,
                 uri.c_str(),
                 HSMTLS_TEST_CHAOS,
                 static_cast<const hsmtls_login*>(&login),
                 kind,
                 bits,
                 static_cast<hsmtls_text**>(nullptr));
  }

  // An identity that stays open as long as the test.
  hsmtls_identity* open_key(const std::string& label) {
    open_options options;
    options.key = with_key(label);
    return opened_.emplace_back(open(options)).get();
  }

  // The chaos module, once something has loaded it with the environment of this test.
  chaos& trouble() {
    if (!chaos_) chaos_.emplace();
    return *chaos_;
  }

  softhsm_token token;

 private:
  std::set<std::string> made_;
  std::vector<identity_ptr> opened_;
  std::optional<chaos> chaos_;
};

}  // namespace hsmtls::test
