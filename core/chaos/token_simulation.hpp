// Tokens that go away, come back as others, and are particular about logins.
#pragma once

#include <pkcs11.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hsmtls::chaos {

class token_simulation {
 public:
  using slot_choice = std::optional<CK_SLOT_ID>;  // none: all slots

  // --- commands ---
  // `affected` are the slots that C_WaitForSlotEvent reports afterwards.
  void remove(slot_choice slot, const std::vector<CK_SLOT_ID>& affected);
  void bring_back(slot_choice slot,
                  const std::optional<std::string>& serial,
                  bool needs_reinit,
                  const std::vector<CK_SLOT_ID>& affected);
  void lock_pin(bool locked);
  void set_pin_flags(CK_FLAGS flags);
  void set_pin_pad(bool on, std::optional<std::string> pin);
  void set_always_authenticate(bool on, std::optional<std::string> pin);
  void limit_sessions(CK_ULONG max);  // 0: no limit
  void reset();                       // known sessions stay known

  // --- what the wrappers ask; cheap while nothing is simulated ---
  bool active() const { return active_.load(std::memory_order_acquire); }
  bool absent(CK_SLOT_ID slot) const;
  bool session_lost(CK_SESSION_HANDLE session) const;  // its token was removed
  std::optional<CK_SLOT_ID> take_event();
  void dress(CK_SLOT_ID slot, CK_TOKEN_INFO& info) const;

  // `begin_open` keeps room for one session, or returns false; each true needs its `end_open`.
  // `end_open` returns false if the token was removed meanwhile: the session has to be closed
  // again.
  bool begin_open(CK_SLOT_ID slot);
  bool end_open(CK_SLOT_ID slot, std::optional<CK_SESSION_HANDLE> opened);
  void closed(CK_SESSION_HANDLE session);
  // `now` and `closed_all` bracket a call that closes all sessions: those opened since `then` live
  // on.
  std::uint64_t now() const;
  void closed_all(slot_choice slot, std::uint64_t then);
  void initialized();
  void finalized();

  struct login_verdict {
    std::optional<CK_RV> answer;     // without asking the vendor
    std::optional<std::string> pin;  // to ask the vendor with, instead of the caller's
  };
  login_verdict judge_login(CK_SESSION_HANDLE session,
                            CK_USER_TYPE user,
                            const CK_UTF8CHAR* pin,
                            CK_ULONG pin_len);

  bool always_authenticates() const;
  void sign_started(CK_SESSION_HANDLE session);
  void sign_ended(CK_SESSION_HANDLE session);
  bool wants_context_login(CK_SESSION_HANDLE session) const;

 private:
  enum class presence { present, removed, back_after_reinit };
  struct slot_state {
    presence state = presence::present;
    std::optional<std::string> serial;
  };
  struct known_session {
    CK_SLOT_ID slot = 0;
    std::uint64_t opened_at = 0;
    bool lost = false;
    bool signing = false;
    bool authenticated = false;
  };

  const slot_state& of(CK_SLOT_ID slot) const;
  slot_state& choose(slot_choice slot);
  void update_active();

  std::atomic<bool> active_ = false;
  slot_state all_slots_;
  std::map<CK_SLOT_ID, slot_state> single_slots_;  // where they differ from all_slots_
  std::deque<CK_SLOT_ID> events_;
  std::map<CK_SESSION_HANDLE, known_session> sessions_;
  std::map<CK_SLOT_ID, CK_ULONG> opening_;
  std::uint64_t clock_ = 0;

  bool pin_locked_ = false;
  CK_FLAGS pin_flags_ = 0;
  bool pin_pad_ = false;
  std::optional<std::string> pin_pad_pin_;
  bool always_authenticate_ = false;
  std::optional<std::string> context_pin_;
  CK_ULONG max_sessions_ = 0;
};

}  // namespace hsmtls::chaos
