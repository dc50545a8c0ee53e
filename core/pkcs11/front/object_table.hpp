// The object handles that the application holds. A handle means one object for as long as the
// process runs, through every loss.
//
// What is found in a new life of the token is paired with what was known before by its name, and
// where several have one name, by what tells them apart (their public half, a certificate's
// value). Those that nothing tells apart get new handles in each life, and the old ones end: else
// a device that opens, signs and closes once a second would fill its memory with them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/pkcs11/token/object.hpp"

namespace hsmtls::pkcs11 {

class object_table {
 public:
  // `find` returns the object behind one of our handles, or null.
  std::shared_ptr<object> find(CK_OBJECT_HANDLE handle) const;

  // `adopt` gives our handle for what the vendor calls `real` in the session `in`: the one it
  // already has, one of an earlier life that is the same object as far as can be told, or a new
  // one. `made`: it was made just now, so it is none of an earlier life. `creator` is the
  // application's session, for session objects. A search may be in progress in `in`.
  CK_RV adopt(token& of,
              const lease& in,
              CK_OBJECT_HANDLE real,
              bool made,
              CK_SESSION_HANDLE creator,
              time_point until,
              CK_OBJECT_HANDLE& out);

  // `renamed` says that the application gave an object another id or label.
  void renamed(CK_OBJECT_HANDLE handle, object_recipe now);

  // `remove` forgets an object; returns the session that created it if it was a session object,
  // else 0.
  CK_SESSION_HANDLE remove(CK_OBJECT_HANDLE handle);

  // `remove_created_in` forgets the session objects of a session that was closed.
  void remove_created_in(CK_SESSION_HANDLE session);
  // `remove_session_objects` forgets all of a token's.
  void remove_session_objects(const token& of);
  // `forget_session_objects` forgets all: the application finalised. Handles of token objects stay
  // good.
  void forget_session_objects();

  // `size` returns how much the table remembers: its objects, and the ways to find them.
  [[nodiscard]] size_t size() const;

 private:
  struct place {  // where the vendor has it
    const token* of;
    CK_OBJECT_HANDLE real;
    friend auto operator<=>(const place&, const place&) = default;
  };
  struct name {
    const token* of;
    object_recipe recipe;
    friend auto operator<=>(const name&, const name&) = default;
  };
  using name_index = std::multimap<name, CK_OBJECT_HANDLE>;
  struct entry {
    std::shared_ptr<object> what;
    CK_SESSION_HANDLE creator;
    place last_seen;
    name_index::iterator called;
    // What tells it from others of its name, read once there are some; empty: nothing does.
    std::optional<bytes> mark;
  };
  using entry_map = std::unordered_map<CK_OBJECT_HANDLE, entry>;
  // What is to be adopted, as far as it is known.
  struct sighting {
    token& of;
    place where;
    uint64_t life;
    object_recipe recipe;
    bool made;
    CK_SESSION_HANDLE creator;
    std::optional<bytes> mark;
  };

  // All below: with the lock held.
  CK_OBJECT_HANDLE known_at(const place& where, uint64_t life) const;
  // The handle for what was seen, or 0 if marks must be read first: of what was seen, and of
  // `unmarked`.
  CK_OBJECT_HANDLE handle_for(const sighting& seen, std::vector<CK_OBJECT_HANDLE>& unmarked);
  CK_OBJECT_HANDLE seen_again(CK_OBJECT_HANDLE handle, const sighting& seen);
  CK_OBJECT_HANDLE add(const sighting& seen);
  void leave_place(const entry_map::value_type& one);
  void erase(entry_map::iterator at);

  template <class Condition>
  void erase_if(Condition&& condition);
  CK_RV read_marks(token& of,
                   const lease& in,
                   const std::vector<CK_OBJECT_HANDLE>& unmarked,
                   time_point until);

  mutable std::mutex mutex_;
  entry_map entries_;
  std::map<place, CK_OBJECT_HANDLE> by_place_;  // of each entry at most one
  name_index by_name_;                          // of each entry one
  CK_OBJECT_HANDLE last_ = 0;
};

}  // namespace hsmtls::pkcs11
