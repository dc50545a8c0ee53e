#include "core/pkcs11/front/object_table.hpp"

namespace hsmtls::pkcs11 {

std::shared_ptr<object> object_table::find(CK_OBJECT_HANDLE handle) const {
  std::lock_guard held(mutex_);
  const auto at = entries_.find(handle);
  return at == entries_.end() ? nullptr : at->second.what;
}

CK_OBJECT_HANDLE object_table::known_at(const place& where, uint64_t life) const {
  const auto at = by_place_.find(where);
  if (at == by_place_.end()) return 0;
  const auto known = entries_.find(at->second);
  if (known == entries_.end()) return 0;
  // A vendor uses its numbers again in another life.
  return known->second.what->current_in(life) == where.real ? at->second : 0;
}

CK_RV object_table::adopt(token& of,
                          const lease& in,
                          CK_OBJECT_HANDLE real,
                          bool made,
                          CK_SESSION_HANDLE creator,
                          time_point until,
                          CK_OBJECT_HANDLE& out) {
  const place where{&of, real};
  {
    std::lock_guard held(mutex_);
    if (const CK_OBJECT_HANDLE known = known_at(where, in.life())) {
      out = known;
      return CKR_OK;
    }
  }
  object_recipe recipe;
  if (const CK_RV rv = read_recipe(of, in, real, until, recipe); rv != CKR_OK) return rv;

  std::lock_guard held(mutex_);
  if (const CK_OBJECT_HANDLE known = known_at(where, in.life())) {  // another thread was quicker
    out = known;
    return CKR_OK;
  }
  const name called{&of, recipe};
  if (recipe.on_token && !made) {
    // The handle that the application has from before the loss, if it is the only one of that name
    // that has not been seen since. Which key it really is, is compared before it is used.
    CK_OBJECT_HANDLE waiting = 0;
    int namesakes = 0;
    for (auto [at, end] = by_name_.equal_range(called); at != end; ++at) {
      ++namesakes;
      if (!entries_.at(at->second).what->current_in(in.life())) waiting = at->second;
    }
    if (namesakes == 1 && waiting != 0) {
      entries_.at(waiting).what->seen(real, in.life());
      by_place_[where] = waiting;
      out = waiting;
      return CKR_OK;
    }
  }
  out = ++last_;
  entries_[out] = {std::make_shared<object>(of, recipe, real, in.life()),
                   recipe.on_token ? 0 : creator};
  by_place_[where] = out;
  by_name_.emplace(called, out);
  return CKR_OK;
}

void object_table::erase(std::unordered_map<CK_OBJECT_HANDLE, entry>::iterator at) {
  std::erase_if(by_place_, [&](const auto& one) { return one.second == at->first; });
  std::erase_if(by_name_, [&](const auto& one) { return one.second == at->first; });
  entries_.erase(at);
}

CK_SESSION_HANDLE object_table::remove(CK_OBJECT_HANDLE handle) {
  std::lock_guard held(mutex_);
  const auto at = entries_.find(handle);
  if (at == entries_.end()) return 0;
  const CK_SESSION_HANDLE creator = at->second.creator;
  erase(at);
  return creator;
}

template <class Condition>
void object_table::erase_if(Condition&& condition) {
  std::lock_guard held(mutex_);
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    if (condition(at->second)) erase(at);
    at = next;
  }
}

void object_table::remove_created_in(CK_SESSION_HANDLE session) {
  erase_if([&](const entry& one) { return one.creator == session; });
}

void object_table::remove_session_objects(const token& of) {
  erase_if([&](const entry& one) { return !one.what->on_token() && &one.what->owner() == &of; });
}

}  // namespace hsmtls::pkcs11
