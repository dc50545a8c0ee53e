#include "core/tls/session_cache.hpp"

#include <algorithm>
#include <map>

namespace hsmtls::tls {
namespace {

using host::ssl;

// For all peers of an identity together.
constexpr size_t most = 64;
// For one peer: as many as connections to it may begin at once. A server gives out two tickets a
// time.
constexpr size_t most_of_one = 4;

struct table {
  std::mutex mutex;
  std::map<const keys::identity*, std::shared_ptr<session_cache>> caches;
};
// Never destroyed: identities may be closed while the process exits.
table& of_identities() {
  static table* const only = new table;
  return *only;
}

}  // namespace

std::shared_ptr<session_cache> session_cache::of(keys::identity* identity) {
  auto made = std::make_shared<session_cache>();
  if (identity == nullptr) return made;
  {
    table& all = of_identities();
    const std::lock_guard lock(all.mutex);
    const auto [found, is_new] = all.caches.emplace(identity, made);
    if (!is_new) return found->second;
  }
  identity->at_close([identity, made] {
    table& all = of_identities();
    {
      const std::lock_guard lock(all.mutex);
      all.caches.erase(identity);
    }
    made->close();
  });
  return made;
}

void session_cache::put(const session_key& key, const SSL_SESSION* session) {
  std::list<entry> dropped;  // freed after the lock
  host::ssl_session copy(ssl().SSL_SESSION_dup(session));
  if (!copy) return;
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  entries_.push_front({key, std::move(copy)});
  size_t same = 0;
  size_t all = 0;
  for (auto one = entries_.begin(); one != entries_.end();) {
    const auto next = std::next(one);
    if (++all > most || (one->key == key && ++same > most_of_one)) {
      dropped.splice(dropped.end(), entries_, one);
    }
    one = next;
  }
}

host::ssl_session session_cache::take(const session_key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(
      entries_.begin(), entries_.end(), [&](const entry& one) { return one.key == key; });
  if (found == entries_.end()) return nullptr;
  if (ssl().SSL_SESSION_get_protocol_version(found->session.get()) < TLS1_3_VERSION) {
    return host::ssl_session(ssl().SSL_SESSION_dup(found->session.get()));
  }
  host::ssl_session once = std::move(found->session);
  entries_.erase(found);
  return once;
}

template <class Condition>
void session_cache::drop_if(Condition&& condition) {
  std::list<entry> dropped;
  const std::lock_guard lock(mutex_);
  for (auto one = entries_.begin(); one != entries_.end();) {
    const auto next = std::next(one);
    if (condition(one->key)) dropped.splice(dropped.end(), entries_, one);
    one = next;
  }
}

void session_cache::forget(const session_key& key) {
  drop_if([&](const session_key& one) { return one == key; });
}
void session_cache::forget(const digest& trust) {
  drop_if([&](const session_key& one) { return one.trust == trust; });
}

void session_cache::close() {
  std::list<entry> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(entries_);
}

}  // namespace hsmtls::tls
