#include "core/pkcs11/front/object_table.hpp"

#include <utility>

#include "core/pkcs11/front/handle_table.hpp"

namespace hsmtls::pkcs11 {
namespace {

// What tells an object from others of its name: read from the object itself, as a search of the
// application's may be in progress in the session.
CK_RV read_mark(token& of,
                const lease& in,
                CK_OBJECT_HANDLE real,
                const object_recipe& recipe,
                time_point until,
                bytes& out) {
  public_half half;
  const CK_RV rv =
      read_public_half(of, in, real, recipe, public_half::source::own_attribute, until, half);
  out = std::move(half.value);
  return rv;
}

bool tells_apart(const std::optional<bytes>& mark) {
  return mark && !mark->empty();
}

}  // namespace

std::shared_ptr<object> object_table::find(CK_OBJECT_HANDLE handle) const {
  std::lock_guard held(mutex_);
  const auto at = entries_.find(handle);
  return at == entries_.end() ? nullptr : at->second.what;
}

CK_OBJECT_HANDLE object_table::known_at(const place& where, uint64_t life) const {
  const auto at = by_place_.find(where);
  if (at == by_place_.end()) return 0;
  // A vendor uses its numbers again in another life.
  return entries_.at(at->second).what->current_in(life) == where.real ? at->second : 0;
}

CK_RV object_table::adopt(token& of,
                          const lease& in,
                          CK_OBJECT_HANDLE real,
                          bool made,
                          CK_SESSION_HANDLE creator,
                          time_point until,
                          CK_OBJECT_HANDLE& out) {
  sighting seen{of, {&of, real}, in.life(), {}, made, creator, {}};
  {
    std::lock_guard held(mutex_);
    out = known_at(seen.where, seen.life);
    if (out != 0) return CKR_OK;
  }
  if (const CK_RV rv = read_recipe(of, in, real, until, seen.recipe); rv != CKR_OK) return rv;
  for (;;) {
    std::vector<CK_OBJECT_HANDLE> unmarked;
    {
      std::lock_guard held(mutex_);
      out = handle_for(seen, unmarked);
      if (out != 0) return CKR_OK;
    }
    // Without the lock: these are vendor calls.
    if (const CK_RV rv = read_marks(of, in, unmarked, until); rv != CKR_OK) return rv;
    if (seen.mark) continue;
    const CK_RV rv = read_mark(of, in, real, seen.recipe, until, seen.mark.emplace());
    if (rv != CKR_OK) return rv;
  }
}

CK_OBJECT_HANDLE object_table::handle_for(const sighting& seen,
                                          std::vector<CK_OBJECT_HANDLE>& unmarked) {
  // Another thread may have been quicker.
  if (const CK_OBJECT_HANDLE known = known_at(seen.where, seen.life)) return known;
  if (seen.made || !seen.recipe.on_token) return add(seen);

  size_t namesakes = 0;
  std::vector<entry_map::iterator> waiting;  // not seen yet in this life
  for (auto [at, end] = by_name_.equal_range({seen.where.of, seen.recipe}); at != end; ++at) {
    const auto known = entries_.find(at->second);
    const auto now = known->second.what->current_in(seen.life);
    // It was looked for by its user, and found.
    if (now == seen.where.real) return seen_again(known->first, seen);
    ++namesakes;
    if (!now)
      waiting.push_back(known);
    else if (!known->second.mark)
      unmarked.push_back(known->first);
  }
  if (namesakes == 0) return add(seen);
  // The only one of its name. Which key it really is, is compared before it is used.
  if (namesakes == 1 && waiting.size() == 1 && !tells_apart(waiting[0]->second.mark))
    return seen_again(waiting[0]->first, seen);

  if (!seen.mark || !unmarked.empty()) return 0;
  std::vector<entry_map::iterator> the_same;
  for (const auto one : waiting) {
    if (tells_apart(seen.mark) && one->second.mark == seen.mark) the_same.push_back(one);
  }
  if (the_same.size() == 1) return seen_again(the_same[0]->first, seen);
  // Which of them this is, nobody can say any more.
  for (const auto one : waiting) {
    if (!tells_apart(one->second.mark) || the_same.size() > 1) erase(one);
  }
  return add(seen);
}

CK_RV object_table::read_marks(token& of,
                               const lease& in,
                               const std::vector<CK_OBJECT_HANDLE>& unmarked,
                               time_point until) {
  for (const CK_OBJECT_HANDLE handle : unmarked) {
    const auto what = find(handle);
    if (what == nullptr) continue;
    const auto real = what->current_in(in.life());
    bytes mark;
    const CK_RV rv = real ? read_mark(of, in, *real, what->recipe(), until, mark) : CKR_OK;
    if (loss_of(rv) == loss::session) return rv;
    std::lock_guard held(mutex_);
    // One that was destroyed meanwhile has none.
    if (const auto at = entries_.find(handle); at != entries_.end())
      at->second.mark = std::move(mark);
  }
  return CKR_OK;
}

CK_OBJECT_HANDLE object_table::seen_again(CK_OBJECT_HANDLE handle, const sighting& seen) {
  const auto at = entries_.find(handle);
  at->second.what->seen(seen.where.real, seen.life);
  leave_place(*at);
  at->second.last_seen = seen.where;
  by_place_[seen.where] = handle;
  return handle;
}

CK_OBJECT_HANDLE object_table::add(const sighting& seen) {
  auto what = std::make_shared<object>(seen.of, seen.recipe, seen.where.real, seen.life);
  const CK_SESSION_HANDLE creator = seen.recipe.on_token ? 0 : seen.creator;
  const CK_OBJECT_HANDLE handle = handle_after(last_, entries_);
  const auto called = by_name_.emplace(name{&seen.of, seen.recipe}, handle);
  try {
    entries_.emplace(handle, entry{std::move(what), creator, seen.where, called, seen.mark});
  } catch (...) {
    by_name_.erase(called);
    throw;
  }
  by_place_[seen.where] = handle;
  return last_ = handle;
}

void object_table::renamed(CK_OBJECT_HANDLE handle, object_recipe now) {
  std::lock_guard held(mutex_);
  const auto at = entries_.find(handle);
  if (at == entries_.end()) return;
  entry& one = at->second;
  const auto called = by_name_.emplace(name{one.called->first.of, now}, handle);
  by_name_.erase(std::exchange(one.called, called));
  one.mark.reset();  // perhaps it was the value that changed
  one.what->renamed(std::move(now));
}

void object_table::leave_place(const entry_map::value_type& one) {
  // Another object may have that number by now.
  const auto at = by_place_.find(one.second.last_seen);
  if (at != by_place_.end() && at->second == one.first) by_place_.erase(at);
}

void object_table::erase(entry_map::iterator at) {
  leave_place(*at);
  by_name_.erase(at->second.called);
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

void object_table::forget_session_objects() {
  erase_if([](const entry& one) { return !one.what->on_token(); });
}

size_t object_table::size() const {
  std::lock_guard held(mutex_);
  return entries_.size() + by_place_.size() + by_name_.size();
}

}  // namespace hsmtls::pkcs11
