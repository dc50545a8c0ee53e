// Handles that we give out, and what is behind them. A handle is not used a second time before all
// others were: on a 32-bit machine, 2^32 later.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11 {

// `handle_after` returns the next handle after `last` that is neither 0 (CK_INVALID_HANDLE) nor a key
// of `taken`. There must be one.
template <class Handle, class Map>
Handle handle_after(Handle last, const Map& taken) {
  do ++last;
  while (last == 0 || taken.contains(last));
  return last;
}

template <class Thing, class Handle = CK_ULONG>
class handle_table {
 public:
  Handle add(std::shared_ptr<Thing> one) {
    std::unique_lock held(mutex_);
    last_ = handle_after(last_, things_);
    things_.emplace(last_, std::move(one));
    return last_;
  }

  std::shared_ptr<Thing> find(Handle handle) const {
    std::shared_lock held(mutex_);
    const auto at = things_.find(handle);
    return at == things_.end() ? nullptr : at->second;
  }

  // `take` removes it and returns what was there.
  std::shared_ptr<Thing> take(Handle handle) {
    std::unique_lock held(mutex_);
    const auto at = things_.find(handle);
    if (at == things_.end()) return nullptr;
    auto one = std::move(at->second);
    things_.erase(at);
    return one;
  }

  template <class Condition>
  std::vector<std::shared_ptr<Thing>> take_if(Condition&& condition) {
    std::vector<std::shared_ptr<Thing>> taken;
    std::unique_lock held(mutex_);
    for (auto at = things_.begin(); at != things_.end();) {
      if (condition(*at->second)) {
        taken.push_back(std::move(at->second));
        at = things_.erase(at);
      } else {
        ++at;
      }
    }
    return taken;
  }

  template <class Condition>
  size_t count_if(Condition&& condition) const {
    std::shared_lock held(mutex_);
    size_t count = 0;
    for (const auto& [handle, one] : things_) count += condition(*one) ? 1 : 0;
    return count;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<Handle, std::shared_ptr<Thing>> things_;
  Handle last_ = 0;
};

}  // namespace hsmtls::pkcs11
