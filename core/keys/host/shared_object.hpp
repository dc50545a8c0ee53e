// The shared objects of this process, as the dynamic loader knows them.
#pragma once

#include <link.h>

#include <optional>
#include <string>
#include <vector>

namespace hsmtls::host {

class shared_object {
 public:
  // `of` returns the object that holds `address`, which is data or code; nothing if none does.
  static std::optional<shared_object> of(const void* address);

  static shared_object main_program();

  // `defining` returns every object that itself defines `symbol`, in the order of loading.
  static std::vector<shared_object> defining(const char* symbol);

  // `loaded` returns the object that the loader knows by `name`, brought in if need be when `load`.
  static std::optional<shared_object> loaded(const char* name, bool load);

  // The file's path; "the main program" has none.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool is_main() const { return map_->l_name[0] == '\0'; }
  // Whether the loader brought it in before the program began: it is the main program or among what
  // that needs, directly or not.
  [[nodiscard]] bool is_from_start_up() const;

  // `own` returns the address of `symbol` if this object itself defines it; else null. (A main
  // program that is not position independent has an entry of its own for every function whose
  // address it takes: that is not a definition.)
  [[nodiscard]] void* own(const char* symbol) const;
  // `reach` returns `symbol` as found in this object or what it depends on; null if neither.
  [[nodiscard]] void* reach(const char* symbol) const;
  // `called` returns the object in which this object's calls of `symbol` end, which may be none of
  // those: what is loaded globally comes first. Nothing if it does not call it by name, or never has.
  [[nodiscard]] std::optional<shared_object> called(const char* symbol) const;

  friend bool operator==(const shared_object& a, const shared_object& b) {
    return a.map_ == b.map_;
  }

 private:
  explicit shared_object(link_map* map) : map_(map) {}
  link_map* map_;
};

}  // namespace hsmtls::host
