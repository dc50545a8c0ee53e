#include "core/keys/identity/open_keys.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <vector>

#include "core/keys/host/fork_locks.hpp"
#include "core/keys/uris.hpp"

namespace hsmtls::keys {
namespace {

struct entry {
  std::weak_ptr<token_key> key;
  pkcs11::uri own;          // fits that key alone
  pkcs11::uri opened_with;  // without its query
};

// Under host::instant_lock. Never destroyed: PEM may be read while the process exits.
std::list<entry>& open_keys() {
  static auto* const only = new std::list<entry>;
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

void add_open_key(const std::shared_ptr<token_key>& key, std::string_view opened_with) {
  pkcs11::uri_result own = pkcs11::parse_uri(key->uri());
  pkcs11::uri_result asked = pkcs11::parse_uri(opened_with);
  if (!own) return;  // a token whose names no URI can hold: reachable by its key only
  std::list<entry> added{{key, *own.value, without_query(asked ? *asked.value : *own.value)}};
  const std::lock_guard lock(host::instant_lock());
  open_keys().remove_if([](const entry& one) { return one.key.expired(); });
  open_keys().splice(open_keys().end(), added);
}

std::shared_ptr<token_key> find_open_key(const pkcs11::uri& reference) {
  const pkcs11::uri wanted = without_query(reference);
  // Held until the lock is free: ours may be the last ones.
  std::vector<std::shared_ptr<token_key>> fitting;
  {
    const std::lock_guard lock(host::instant_lock());
    for (const entry& one : open_keys()) {
      if (fits(wanted, one.own) || wanted == one.opened_with) fitting.push_back(one.key.lock());
    }
  }
  std::erase_if(fitting, [](const auto& key) { return !key || key->is_closed(); });
  const bool of_one_key = std::all_of(fitting.begin(), fitting.end(), [&](const auto& key) {
    return key->uri() == fitting.front()->uri();
  });
  return fitting.empty() || !of_one_key ? nullptr : fitting.back();
}

}  // namespace hsmtls::keys
