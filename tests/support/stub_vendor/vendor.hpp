// The state of the stub vendor: two tokens in memory, sessions, operations. One mutex guards it
// all; no call holds it for longer than a few hundred instructions.
#pragma once

#include <pkcs11.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "object.hpp"

namespace hsmtls::stub {

enum class operation_kind {
  encrypt,
  decrypt,
  digest,
  sign,
  sign_recover,
  verify,
  verify_recover,
  message_encrypt,
  message_decrypt,
  message_sign,
  message_verify,
};
inline constexpr std::size_t num_operation_kinds = 11;

// Trivially copyable, because C_GetOperationState hands it out as bytes.
struct operation {
  bool active = false;
  bool multi_part = false;  // C_xxxUpdate was called: C_xxx would now be a mistake
  bool wants_context_login =
      false;  // CKA_ALWAYS_AUTHENTICATE, and no C_Login(CKU_CONTEXT_SPECIFIC)
  std::uint64_t hash = 0;
  std::uint64_t seed = 0;
  CK_ULONG result_len = 0;
  CK_BYTE pad = 0;  // what our "ciphers" xor every byte with
};

struct session {
  CK_SLOT_ID slot = 0;
  bool read_write = false;
  std::array<operation, num_operation_kinds> operations;
  std::optional<std::vector<CK_OBJECT_HANDLE>> search;

  operation& of(operation_kind kind) { return operations[static_cast<std::size_t>(kind)]; }
};

struct token {
  std::string label;
  std::string serial;
  std::string user_pin = "1234";
  std::string so_pin = "so1234";
  int wrong_user_pins = 0;
  int wrong_so_pins = 0;
  bool user_pin_set = true;
  enum class login { nobody, user, so } logged_in = login::nobody;
  std::vector<std::shared_ptr<object>> objects;  // token objects; they outlive C_Finalize
};

inline constexpr int max_wrong_pins = 3;

class vendor {
 public:
  static vendor& instance();

  std::mutex mutex;
  bool initialized = false;
  std::array<token, 2> tokens;  // slot ID is the index
  CK_ULONG max_sessions = 0;    // per token, HSMTLS_STUB_MAX_SESSIONS; 0: no limit

  void start();   // C_Initialize
  void forget();  // C_Finalize, and a forked child

  token* token_in(CK_SLOT_ID slot) { return slot < tokens.size() ? &tokens[slot] : nullptr; }
  session* find_session(CK_SESSION_HANDLE handle);
  CK_ULONG count_sessions(CK_SLOT_ID slot, bool read_write_only = false) const;
  CK_SESSION_HANDLE open_session(CK_SLOT_ID slot, bool read_write);
  void close_session(CK_SESSION_HANDLE handle);
  void close_all_sessions(CK_SLOT_ID slot);

  // `find_object` returns the object if `from` may see it: it is on its token and not hidden by a
  // missing login. `hidden` (if given) tells the second case apart.
  object* find_object(const session& from, CK_OBJECT_HANDLE handle, bool* hidden = nullptr);
  bool may_see(const session& from, const object& wanted) const;
  std::vector<CK_OBJECT_HANDLE> search(const session& from,
                                       const CK_ATTRIBUTE* wanted,
                                       CK_ULONG count);
  // `add` checks what every creating function has to (login, read-only session) and numbers the
  // object.
  CK_RV add(CK_SESSION_HANDLE creator,
            std::shared_ptr<object> created,
            CK_OBJECT_HANDLE* out_handle);
  void destroy(CK_OBJECT_HANDLE handle);
  void wipe(CK_SLOT_ID slot);  // C_InitToken

  std::uint64_t random();

 private:
  vendor();
  void number_objects();

  std::unordered_map<CK_SESSION_HANDLE, session> sessions_;
  std::unordered_map<CK_OBJECT_HANDLE, std::shared_ptr<object>> objects_;
  CK_SESSION_HANDLE next_session_ = 1;
  CK_OBJECT_HANDLE next_object_ = 1;
  std::uint64_t generation_ = 0;
};

// `in_module` runs `body(vendor&)` under the lock, once the module is initialised.
template <class Body>
CK_RV in_module(Body&& body) {
  vendor& all = vendor::instance();
  const std::lock_guard lock(all.mutex);
  return all.initialized ? body(all) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

// `in_session` runs `body(vendor&, session&)` under the lock, if `handle` is an open session.
template <class Body>
CK_RV in_session(CK_SESSION_HANDLE handle, Body&& body) {
  return in_module([&](vendor& all) -> CK_RV {
    session* current = all.find_session(handle);
    return current == nullptr ? CKR_SESSION_HANDLE_INVALID : body(all, *current);
  });
}

}  // namespace hsmtls::stub
