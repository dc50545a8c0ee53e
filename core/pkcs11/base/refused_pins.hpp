// The PINs that a token refused, for this process and every child it forks: such a PIN is never
// sent again. What is kept is a keyed 64-bit fingerprint, not the PIN, in one page that parent and
// children share.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/pkcs11/base/deadline.hpp"

namespace hsmtls::pkcs11::refused_pins {

// `remember` notes that the token named by `token_identity` refused `pin` for `user`. Any thread.
void remember(std::string_view token_identity, uint64_t user, std::span<const uint8_t> pin);

// `contains` tells whether it did. Any thread; takes no lock.
bool contains(std::string_view token_identity, uint64_t user, std::span<const uint8_t> pin);

// `turn` is the right to send one PIN: asking whether it was refused, sending it and noting the
// answer are one step, among all threads of this process, its parent and its children. Four workers
// that start with the same wrong PIN would otherwise all send it before the first has its answer.
class turn {
 public:
  // Waits for whoever has the turn for this PIN, until `until` at most.
  turn(std::string_view token_identity,
       uint64_t user,
       std::span<const uint8_t> pin,
       time_point until);
  ~turn();
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  // False: somebody else had it all the time.
  explicit operator bool() const { return mine_; }

 private:
  size_t place_ = 0;
  bool mine_ = false;
};

// `forget_all_of` clears what is known about one user's PINs at a token: that PIN was changed, or
// the token was initialised anew, by somebody who knew how. Other users' refused PINs stay refused.
void forget_all_of(std::string_view token_identity, uint64_t user);

}  // namespace hsmtls::pkcs11::refused_pins
