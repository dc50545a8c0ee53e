// A view: a slot of its own that shows one key of a token, for a library that can only enumerate
// (libp11). C_GetSlotList shows it to a thread between enter and leave, and then nothing else.
//
// Its sessions are the application's, but their login is that of whoever opened the view, the
// private face: they neither log in nor out, and what an application does on the token's own slot
// does not touch them.
#pragma once

#include <optional>
#include <vector>

#include "core/pkcs11/token/object.hpp"

namespace hsmtls::pkcs11 {

class view {
 public:
  view() = default;
  virtual ~view() = default;
  view(const view&) = delete;
  view& operator=(const view&) = delete;

  // `bind` gives the token that the key is in, in this process: a forked child finds it anew, with
  // its login. `keep_login` logs in again where the login was given up and the user is not needed.
  // Both: CKR_DEVICE_REMOVED once the view is closed.
  virtual CK_RV bind(time_point until, token*& out) = 0;
  virtual CK_RV keep_login(time_point until) = 0;

  // `shows` tells whether an object belongs to the key; `narrow` adds to a search what keeps the
  // vendor from listing everything, as far as that can be said beforehand. What it adds lives as
  // long as the view.
  [[nodiscard]] virtual bool shows(const object_recipe& one) const = 0;
  virtual void narrow(std::vector<CK_ATTRIBUTE>& pattern) const = 0;

  // What is known of the key beforehand: its public half, and whether it wants a login for each
  // operation, which is then made for who uses the view.
  [[nodiscard]] virtual const std::optional<public_half>& known_public_half() const = 0;
  [[nodiscard]] virtual bool wants_login_each_time() const = 0;

  // `enter` makes the calling thread see this slot alone; 0: all slots again.
  static void enter(CK_SLOT_ID slot);
  // `entered` returns the slot that the thread is in; 0: none.
  static CK_SLOT_ID entered();
};

// No vendor numbers its slots like this. Views count upwards from here, and no number is given
// twice.
inline constexpr CK_SLOT_ID first_view = ~(~CK_SLOT_ID{0} >> 1);
inline bool is_view(CK_SLOT_ID slot) {
  return slot >= first_view;
}

}  // namespace hsmtls::pkcs11
