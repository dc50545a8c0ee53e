// Devices whose keys are in SoftHSM, with the chaos module in front of it, and the authority that both
// sides trust.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/chaos.hpp"
#include "tests/support/pki.hpp"
#include "tests/support/softhsm.hpp"
#include "tests/support/tls.hpp"

namespace hsmtls::test {

class over_softhsm : public testing::Test {
 protected:
  over_softhsm() {
    setenv("HSMTLS_MODULE", chaos::in_front_of(softhsm_module()).c_str(), 1);
    setenv("HSMTLS_DEADLINE_MS", "10000", 1);
  }

  // Makes a key and opens it as an identity whose certificate is by the authority.
  open_identity make_identity(const std::string& name,
                              hsmtls_generate_kind kind = HSMTLS_GENERATE_P256,
                              certificate_words words = {}) {
    const std::string uri = "pkcs11:token=" + token.label() + ";object=" + name;
    hsmtls_login login{};
    login.struct_size = sizeof login;
    login.pin = reinterpret_cast<const uint8_t*>(token.user_pin().data());
    login.pin_len = static_cast<uint32_t>(token.user_pin().size());
    const answer generated = called([&](hsmtls_error** error) {
      return hsmtls_key_generate(uri.c_str(), nullptr, &login, kind, 2048, nullptr, error);
    });
    if (!generated.fine()) throw std::runtime_error(generated.message);
    words.name = name;
    return open_key(name, words);
  }

  // Opens a key that is in the token already.
  open_identity open_key(const std::string& name, const certificate_words& words) {
    const std::string uri = "pkcs11:token=" + token.label() + ";object=" + name;
    const open_identity bare = opened(uri, token.user_pin());
    const evp_key key = handed_key(bare.get());
    return opened(uri, token.user_pin(), pem_of(ca.issue(key.get(), words).get()));
  }

  softhsm_token token;
  authority ca{"Test CA"};
};

}  // namespace hsmtls::test
