#include "core/keys/identity/open_keys.hpp"

#include <list>
#include <mutex>
#include <vector>

#include "core/keys/uris.hpp"

namespace hsmtls::keys {
namespace {

struct entry {
  std::weak_ptr<token_key> key;
  pkcs11::uri own;          // fits that key alone
  pkcs11::uri opened_with;  // without its query
};

struct table {
  std::mutex mutex;
  std::list<entry> entries;
};
// Never destroyed: PEM may be read while the process exits.
table& open_keys() {
  static table* const only = new table;
  return *only;
}

pkcs11::uri without_query(pkcs11::uri from) {
  from.pin_source.reset();
  from.pin_value.reset();
  from.module_name.reset();
  from.module_path.reset();
  from.vendor_query.clear();
  return from;
}

// Whether all that `reference` says is said of the key, too. What its URI does not say (slots,
// libraries, a vendor's own) cannot be known to fit.
bool fits(const pkcs11::uri& reference, const pkcs11::uri& own) {
  return selects_token(reference, own) && agrees(reference.slot_id, own.slot_id) &&
         agrees(reference.slot_description, own.slot_description) &&
         agrees(reference.slot_manufacturer, own.slot_manufacturer) &&
         agrees(reference.library_description, own.library_description) &&
         agrees(reference.library_manufacturer, own.library_manufacturer) &&
         agrees(reference.library_version, own.library_version) &&
         agrees(reference.object, own.object) && agrees(reference.id, own.id) &&
         reference.vendor.empty();
}

}  // namespace

void add_open_key(const std::shared_ptr<token_key>& key, const std::string& opened_with) {
  pkcs11::uri_result own = pkcs11::parse_uri(key->uri());
  pkcs11::uri_result asked = pkcs11::parse_uri(opened_with);
  if (!own) return;  // a token whose names no URI can hold: reachable by its key only
  table& all = open_keys();
  const std::lock_guard lock(all.mutex);
  all.entries.remove_if([](const entry& one) { return one.key.expired(); });
  all.entries.push_back({key, *own.value, without_query(asked ? *asked.value : *own.value)});
}

std::shared_ptr<token_key> find_open_key(const pkcs11::uri& reference) {
  const pkcs11::uri wanted = without_query(reference);
  std::vector<std::shared_ptr<token_key>>
      held;  // until the lock is free: ours may be the last ones
  std::shared_ptr<token_key> found;
  table& all = open_keys();
  const std::lock_guard lock(all.mutex);
  for (const entry& one : all.entries) {
    if (!fits(wanted, one.own) && !(wanted == one.opened_with)) continue;
    const std::shared_ptr<token_key> key = held.emplace_back(one.key.lock());
    if (!key || key->is_closed()) continue;
    if (found && found->uri() != key->uri()) return nullptr;
    found = key;
  }
  return found;
}

}  // namespace hsmtls::keys
