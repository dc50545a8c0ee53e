// A private key that was opened by its URI.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "core/pkcs11/private/pin_provider.hpp"
#include "core/pkcs11/private/token_use.hpp"
#include "core/pkcs11/private/uri_search.hpp"

namespace hsmtls::pkcs11 {

// What a private key, or the public key beside it, shows of the public half.
struct shown_half {
  bytes modulus, exponent, ec_point;
  // Some tokens give a private key's modulus and not its exponent.
  [[nodiscard]] bool is_whole(hsmtls_p11_key_type type) const {
    return type == HSMTLS_P11_RSA ? !modulus.empty() && !exponent.empty() : !ec_point.empty();
  }
};

// What is known of the key, in memory that lives as long as it.
struct key_description {
  hsmtls_p11_key_type type = HSMTLS_P11_EC;
  uint32_t flags = 0;
  std::string uri;
  std::string label;
  bytes id, ec_params;
  shown_half half;
};

// Sends events to the one who subscribed to a key.
class event_sink final : public token_observer {
 public:
  event_sink() = default;
  // In a forked child, which has one thread: the parent's lock may be held for ever.
  explicit event_sink(const event_sink& parents)
      : on_event_(parents.on_event_), user_(parents.user_) {}
  void subscribe(hsmtls_p11_event_fn on_event, void* user);
  void send(const hsmtls_p11_event& event) noexcept;
  void lost() noexcept override { send({HSMTLS_P11_EVENT_LOST, 0, 0}); }
  void restored(std::chrono::microseconds after) noexcept override {
    send({HSMTLS_P11_EVENT_RESTORED, 0, static_cast<uint64_t>(after.count())});
  }

 private:
  std::mutex mutex_;  // held during the callback: after subscribe(null) none runs any more
  hsmtls_p11_event_fn on_event_ = nullptr;
  void* user_ = nullptr;
};

class key {
 public:
  // `open` finds and reads the key; throws failure. `module`: see runtime_use.
  static std::shared_ptr<key> open(uri wanted,
                                   std::string module,
                                   pin_provider pins,
                                   time_point until);
  ~key();
  key(const key&) = delete;
  key& operator=(const key&) = delete;

  [[nodiscard]] const key_description& description() const { return description_; }
  [[nodiscard]] event_sink& events() { return *here().events; }
  // Whose workers sign with this key. In a forked child only the address means something.
  [[nodiscard]] const token& token_of_workers() const { return *token_of_workers_; }

  // `sign` writes the signature to `out` (capacity in, length out) or throws failure.
  void sign(const hsmtls_p11_signature_spec& spec,
            std::span<const uint8_t> data,
            uint8_t* out,
            uint32_t& length,
            time_point until);

  // Where the key is in this process: a forked child finds it anew, once.
  struct binding {
    std::shared_ptr<const runtime_use> process;
    present_token where;
    std::shared_ptr<const token_use> use;
    std::shared_ptr<object> what;
  };
  binding bound(time_point until);
  // `keep_login` logs in again if the login was given up and that can be done without the user: for
  // those who use the key in other ways than `sign`.
  void keep_login(time_point until);
  // Its token, if this process has used the key; makes no call.
  [[nodiscard]] token* token_if_bound();

 private:
  // What the key has in one process. A forked child leaves the parent's where it is: its locks may
  // be held by threads that the child does not have.
  struct presence {
    explicit presence(std::shared_ptr<event_sink> sink) : events(std::move(sink)) {}
    runtime* const process = &runtime::current();
    const std::shared_ptr<event_sink> events;
    std::mutex mutex;  // never held across a vendor call
    std::condition_variable changed;
    bool searching = false;  // one thread finds the key or logs in; it alone uses pins_
    std::optional<binding> at;
  };
  class turn;

  key(uri wanted, std::string module, pin_provider pins);
  presence& here();
  binding find(time_point until);
  binding find_again(time_point until);
  void describe(const binding& at, time_point until);
  // From the one public key beside it, if that is there.
  void complete_half(const binding& at, const object_recipe& recipe, time_point until);
  // Logs in with a PIN that may be another by now; false if that cannot be done without the user.
  bool log_in_again(const binding& at, time_point until);
  CK_RV sign_at(const binding& at,
                const CK_MECHANISM& mechanism,
                std::span<const uint8_t> data,
                uint8_t* out,
                uint32_t& length,
                time_point until);

  const uri wanted_;
  const std::string module_;  // to look in alone; empty: in all
  pin_provider pins_;
  key_description description_;
  std::optional<public_half> public_half_;  // known once it was opened, also to forked children
  const token* token_of_workers_ = nullptr;
  std::atomic<presence*> presence_;
};

// `read_key_flags` reads the attributes of a private key that are HSMTLS_P11_LOCAL ….
CK_RV read_key_flags(
    token& behind, const lease& in, CK_OBJECT_HANDLE handle, time_point until, uint32_t& flags);

}  // namespace hsmtls::pkcs11
