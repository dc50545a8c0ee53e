// Handles that we give out, and what is behind them. Handles are never used twice in a process's
// life.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11 {

template <class Thing>
class handle_table {
 public:
  CK_ULONG add(std::shared_ptr<Thing> one) {
    std::unique_lock held(mutex_);
    const CK_ULONG handle = ++last_;
    things_.emplace(handle, std::move(one));
    return handle;
  }

  std::shared_ptr<Thing> find(CK_ULONG handle) const {
    std::shared_lock held(mutex_);
    const auto at = things_.find(handle);
    return at == things_.end() ? nullptr : at->second;
  }

  // `take` removes it and returns what was there.
  std::shared_ptr<Thing> take(CK_ULONG handle) {
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
  std::unordered_map<CK_ULONG, std::shared_ptr<Thing>> things_;
  CK_ULONG last_ = 0;
};

}  // namespace hsmtls::pkcs11
