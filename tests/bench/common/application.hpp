// An application that uses PKCS#11 itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/common/bars.hpp"
#include "tests/support/module.hpp"

namespace hsmtls::bench {

// A token and what unlocks it, in JSON: {"module", "token", "pin"}.
struct token_place {
  std::string module;
  std::string token;
  std::string pin;

  static token_place from(const json& setup);
  [[nodiscard]] json as_json() const;
};

// What is signed: a SHA-256 digest, by CKM_ECDSA, CKM_RSA_PKCS or CKM_RSA_PKCS_PSS.
enum class scheme { ecdsa, pkcs1, pss };
scheme scheme_named(const std::string& name);

// `application` loads a module, opens sessions and logs in. All functions throw std::runtime_error
// with the name of what PKCS#11 returned.
class application {
 public:
  explicit application(const token_place& where, int sessions = 1);

  // `use_key` finds the private key with that CKA_ID (one byte).
  void use_key(CK_BYTE id);
  // `sign` signs with it in one of the sessions; `try_sign` returns what PKCS#11 returned.
  void sign(std::size_t session, scheme by = scheme::ecdsa);
  CK_RV try_sign(std::size_t session, scheme by = scheme::ecdsa);

  // `list_keys` finds all private keys and reads label and CKA_ID of each, as pkcs11-tool and others
  // do; returns how many there are.
  std::size_t list_keys();
  // `make_keys` makes so many P-256 key pairs, "filler-1", ….
  void make_keys(std::size_t count);

  // `leave` calls C_Finalize.
  void leave();

 private:
  [[nodiscard]] CK_SLOT_ID slot_of(const std::string& label) const;
  [[nodiscard]] CK_SESSION_HANDLE open(CK_FLAGS flags) const;

  test::module_under_test module_;
  CK_SLOT_ID slot_ = 0;
  std::vector<CK_SESSION_HANDLE> sessions_;
  CK_OBJECT_HANDLE key_ = 0;
};

}  // namespace hsmtls::bench
