// The object handles that the application holds. A handle means one object for as long as the
// process runs, through every loss.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/pkcs11/token/object.hpp"

namespace hsmtls::pkcs11 {

class object_table {
 public:
  // `find` returns the object behind one of our handles, or null.
  std::shared_ptr<object> find(CK_OBJECT_HANDLE handle) const;

  // `adopt` gives our handle for what the vendor calls `real` in the session `in`: the one it
  // already has, one of an earlier life that bears the same names, or a new one. `made`: it was
  // made just now, so it is none of an earlier life. `creator` is the application's session, for
  // session objects.
  CK_RV adopt(token& of,
              const lease& in,
              CK_OBJECT_HANDLE real,
              bool made,
              CK_SESSION_HANDLE creator,
              time_point until,
              CK_OBJECT_HANDLE& out);

  // `remove` forgets an object; returns the session that created it if it was a session object,
  // else 0.
  CK_SESSION_HANDLE remove(CK_OBJECT_HANDLE handle);

  // `remove_created_in` forgets the session objects of a session that was closed.
  void remove_created_in(CK_SESSION_HANDLE session);
  // `remove_session_objects` forgets all of a token's.
  void remove_session_objects(const token& of);

 private:
  struct entry {
    std::shared_ptr<object> what;
    CK_SESSION_HANDLE creator = 0;
  };
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

  CK_OBJECT_HANDLE known_at(const place& where, uint64_t life) const;
  template <class Condition>
  void erase_if(Condition&& condition);
  void erase(std::unordered_map<CK_OBJECT_HANDLE, entry>::iterator at);

  mutable std::mutex mutex_;
  std::unordered_map<CK_OBJECT_HANDLE, entry> entries_;
  std::map<place, CK_OBJECT_HANDLE> by_place_;
  std::multimap<name, CK_OBJECT_HANDLE> by_name_;
  CK_OBJECT_HANDLE last_ = 0;
};

}  // namespace hsmtls::pkcs11
