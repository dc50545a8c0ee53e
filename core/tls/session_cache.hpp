// The TLS sessions that an identity's clients may resume.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "core/keys/identity/identity.hpp"
#include "core/tls/objects.hpp"

namespace hsmtls::tls {

// What must be the same for a session to be resumed.
struct session_key {
  digest certificate{};  // that the client presents: zeros for none
  digest trust{};        // that the server was verified by
  std::string names;     // verified, and sent as SNI
  std::string rules;     // of the verification
  std::string alpn;

  friend bool operator==(const session_key&, const session_key&) = default;
};

// Sessions of one identity, shared by all of its contexts. Any thread.
class session_cache {
 public:
  // `of` returns the cache of an open identity; it is emptied for good when the identity is closed.
  // Null: a cache of its own, for a context without identity.
  static std::shared_ptr<session_cache> of(keys::identity* identity);

  // `put` keeps a copy: libssl makes the session of a connection that broke unusable, and those that
  // break are the ones to be made again.
  void put(const session_key& key, const SSL_SESSION* session);
  // `take` returns the newest session of that key; null: none. One of TLS 1.3 is given out once
  // (RFC 8446 appendix C.4).
  host::ssl_session take(const session_key& key);
  // `forget` drops those of that key, or what was verified by that trust.
  void forget(const session_key& key);
  void forget(const digest& trust);
  void close();

 private:
  struct entry {
    session_key key;
    host::ssl_session session;
  };

  template <class Condition>
  void drop_if(Condition&& condition);

  std::mutex mutex_;
  bool closed_ = false;
  std::list<entry> entries_;  // newest first
};

}  // namespace hsmtls::tls
