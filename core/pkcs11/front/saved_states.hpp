// What kinds of operation a state from C_GetOperationState holds: only its vendor can read it, but
// an application that sets it in another session goes on with functions of that kind.
#pragma once

#include <bitset>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/pkcs11/front/virtual_session.hpp"

namespace hsmtls::pkcs11 {

class saved_states {
 public:
  using operations = std::bitset<operation_count>;

  void remember(std::string_view state, operations which) {
    which.reset(static_cast<size_t>(operation::find));  // no state holds a search
    std::lock_guard held(mutex_);
    known_.push_front({std::hash<std::string_view>()(state), which});
    if (known_.size() > most_states) known_.pop_back();
  }

  // `kinds_in` returns nothing for a state that is too old, or of another process.
  std::optional<operations> kinds_in(std::string_view state) const {
    const size_t hash = std::hash<std::string_view>()(state);
    std::lock_guard held(mutex_);
    for (const entry& one : known_) {
      if (one.hash == hash) return one.which;
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t most_states = 256;

  struct entry {
    size_t hash;
    operations which;
  };
  mutable std::mutex mutex_;
  std::deque<entry> known_;  // the latest first
};

}  // namespace hsmtls::pkcs11
