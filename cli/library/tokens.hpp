// What the library lists, copied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/library/access.hpp"

namespace hsmtls::cli {

// CKF_… of CK_TOKEN_INFO (PKCS#11 v3.1 section 3.2) that somebody has to know about.
namespace token_flag {
inline constexpr uint64_t login_required = 0x4;
inline constexpr uint64_t pin_pad = 0x100;
inline constexpr uint64_t initialised = 0x400;
inline constexpr uint64_t pin_set = 0x8;
inline constexpr uint64_t pin_count_low = 0x10000;
inline constexpr uint64_t pin_final_try = 0x20000;
inline constexpr uint64_t pin_locked = 0x40000;
inline constexpr uint64_t pin_to_be_changed = 0x80000;
}  // namespace token_flag

struct token {
  std::string uri, label, serial, model, manufacturer, module;
  uint64_t slot_id = 0;
  uint64_t flags = 0;

  [[nodiscard]] bool has(uint64_t flag) const { return (flags & flag) != 0; }
  // "PIN is locked" and the like; empty: nothing to worry about.
  [[nodiscard]] std::string trouble() const;
};
std::vector<token> list_tokens(const char* module);

// `tokens_that_fit` returns those that a URI's token, serial, model, manufacturer and slot-id fit; one
// that is not initialised only where its slot is named, as the library has it.
std::vector<token> tokens_that_fit(const char* module, const std::string& uri);

// `demand_token` throws problem where the URI fits no token, or several. It has no PIN, not even the
// configured one.
void demand_token(const char* module, const std::string& uri);

struct object {
  uint32_t object_class = 0;  // hsmtls_object_class
  uint32_t key_type = 0;      // hsmtls_key_type
  uint32_t key_flags = 0;     // HSMTLS_KEY_…
  std::string uri, label, id;
  std::vector<uint8_t> value;  // a certificate's DER

  [[nodiscard]] const char* class_name() const;  // "private key"
  [[nodiscard]] const char* type_name() const;   // "EC"; empty: none, or another
};
enum class shown { all, without_login };
std::vector<object> list_objects(access& in, const std::string& uri, shown what);

}  // namespace hsmtls::cli
