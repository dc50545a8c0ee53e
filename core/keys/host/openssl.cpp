#include "core/keys/host/openssl.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "core/keys/failure.hpp"
#include "core/keys/host/shared_object.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::host {
namespace {

using pkcs11::quoted_path;

// Written once each, under the lock; read without it.
std::atomic<const crypto_functions*> crypto_bound{nullptr};
std::atomic<const ssl_functions*> ssl_bound{nullptr};
std::atomic<const char*> where_text{""};

struct binding {
  std::mutex mutex;
  std::deque<std::string> descriptions;  // never moved, never freed
  crypto_functions crypto;
  ssl_functions ssl;
  std::optional<shared_object> crypto_object;
  std::optional<shared_object> ssl_object;
  std::vector<const SSL_METHOD*> ssl_methods;
};
// Never destroyed: other threads may still sign while the process exits.
binding& state() {
  static binding* const only = new binding;
  return *only;
}

std::string name_of(const shared_object& object) {
  return object.is_main() ? object.name() : quoted_path(object.name());
}

// What a copy of OpenSSL, or what looks like one, calls itself.
std::string version_of(const shared_object& object) {
  const auto text = reinterpret_cast<decltype(&::OpenSSL_version)>(object.own("OpenSSL_version"));
  return text != nullptr ? text(OPENSSL_VERSION) : "an unknown version";
}

[[noreturn]] void refuse_unusable(const shared_object& object, const std::string& why) {
  throw failure(HSMTLS_OPENSSL_UNUSABLE,
                "the OpenSSL in " + name_of(object) + " cannot be used: " + why);
}

void check_version(const shared_object& object) {
  const auto number =
      reinterpret_cast<decltype(&::OpenSSL_version_num)>(object.own("OpenSSL_version_num"));
  if (number == nullptr) {
    refuse_unusable(
        object,
        "it is linked in and its functions are hidden. hsmtls needs a program that uses "
        "the system's libcrypto.so.3, or exports the functions of its own OpenSSL 3");
  }
  if (object.own("OPENSSL_is_boringssl") != nullptr ||
      version_of(object).find("BoringSSL") != std::string::npos) {
    refuse_unusable(object, "it is BoringSSL, which has no providers. hsmtls needs OpenSSL 3");
  }
  if (number() >> 28U < 3) {
    refuse_unusable(
        object, "it is " + version_of(object) + ", which has no providers. hsmtls needs OpenSSL 3");
  }
}

struct named_function {
  const char* name;
  void (**where)();
};

void fill(const shared_object& object, const std::vector<named_function>& all) {
  for (const named_function& one : all) {
    void* const found = object.own(one.name);
    if (found == nullptr) {
      refuse_unusable(object,
                      std::string("it has no function ") + one.name + " for others to call (" +
                          version_of(object) + ")");
    }
    *one.where = reinterpret_cast<void (*)()>(found);
  }
}

void describe(binding& all) {
  const std::string crypto_name = all.crypto_object->name();
  std::string text = version_of(*all.crypto_object) + " (" + crypto_name;
  if (all.ssl_object && !(*all.ssl_object == *all.crypto_object)) {
    text += ", " + all.ssl_object->name();
  }
  // The earlier text, if any, stays where it is: somebody may be reading it.
  all.descriptions.push_back(text + ")");
  where_text.store(all.descriptions.back().c_str(), std::memory_order_release);
}

[[noreturn]] void refuse_foreign(const shared_object& asked, const shared_object& in_use) {
  throw failure(
      HSMTLS_OPENSSL_FOREIGN,
      "hsmtls already uses the OpenSSL in " + name_of(in_use) +
          ", and cannot use another copy, the one in " + name_of(asked) +
          ", in the same process: an object of one crashes the other. Load only one of them");
}

// With the lock held.
void bind_crypto_to(binding& all, const shared_object& object) {
  if (all.crypto_object) {
    if (!(*all.crypto_object == object)) refuse_foreign(object, *all.crypto_object);
    return;
  }
  check_version(object);
  crypto_functions table;
  const std::vector<named_function> names{
#define HSMTLS_NAME(name) {#name, reinterpret_cast<void (**)()>(&table.name)},
      HSMTLS_CRYPTO_FUNCTIONS(HSMTLS_NAME)};
  fill(object, names);
  all.crypto = table;
  all.crypto_object = object;
  describe(all);
  crypto_bound.store(&all.crypto, std::memory_order_release);
}

ssl_functions ssl_table(const shared_object& object) {
  ssl_functions table;
  const std::vector<named_function> names{HSMTLS_SSL_FUNCTIONS(HSMTLS_NAME)};
#undef HSMTLS_NAME
  fill(object, names);
  return table;
}

// A build leaves out what it holds too old.
std::vector<const SSL_METHOD*> methods_of(const shared_object& object) {
  std::vector<const SSL_METHOD*> found;
  for (const char* name : {"TLS_method",
                           "TLS_client_method",
                           "TLS_server_method",
                           "TLSv1_2_method",
                           "TLSv1_2_client_method",
                           "TLSv1_2_server_method",
                           "TLSv1_1_method",
                           "TLSv1_1_client_method",
                           "TLSv1_1_server_method",
                           "TLSv1_method",
                           "TLSv1_client_method",
                           "TLSv1_server_method",
                           "DTLS_method",
                           "DTLS_client_method",
                           "DTLS_server_method",
                           "DTLSv1_2_method",
                           "DTLSv1_2_client_method",
                           "DTLSv1_2_server_method"}) {
    if (const auto get = reinterpret_cast<decltype(&::TLS_method)>(object.own(name)))
      found.push_back(get());
  }
  return found;
}

void bind_ssl_to(binding& all, const shared_object& object) {
  if (all.ssl_object) {
    if (!(*all.ssl_object == object)) refuse_foreign(object, *all.ssl_object);
    return;
  }
  all.ssl = ssl_table(object);
  all.ssl_methods = methods_of(object);
  all.ssl_object = object;
  describe(all);
  ssl_bound.store(&all.ssl, std::memory_order_release);
}

// The libcrypto that an object with libssl's functions uses: where its calls go, which is not always
// what it was linked with; else itself, or that.
std::optional<shared_object> crypto_of(const shared_object& ssl_object) {
  if (const std::optional<shared_object> called = ssl_object.called("CRYPTO_free")) return called;
  return shared_object::of(ssl_object.reach("OpenSSL_version_num"));
}

// Both halves, or none of them. With the lock held.
void bind_both_to(binding& all,
                  const shared_object& crypto_object,
                  const shared_object& ssl_object) {
  const std::optional<shared_object> fitting =
      ssl_object == crypto_object ? crypto_object : crypto_of(ssl_object);
  if (fitting && !(*fitting == crypto_object)) {
    throw failure(HSMTLS_OPENSSL_FOREIGN,
                  "the libssl in " + name_of(ssl_object) + " uses the libcrypto in " +
                      name_of(*fitting) + ", not the one in " + name_of(crypto_object) +
                      ": an object of one copy crashes the other");
  }
  if (!all.crypto_object) check_version(crypto_object);
  if (!all.ssl_object) (void)ssl_table(ssl_object);  // throws before anything is bound
  bind_crypto_to(all, crypto_object);
  bind_ssl_to(all, ssl_object);
}

// The libcrypto of a libssl that others can call. Throws failure (OPENSSL_UNUSABLE).
shared_object known_crypto_of(const shared_object& ssl_object) {
  const std::optional<shared_object> found = crypto_of(ssl_object);
  if (!found) refuse_unusable(ssl_object, "the libcrypto that belongs to it cannot be found");
  return *found;
}

// The only copies of libssl whose libcrypto is `wanted` (any, if none is wanted yet).
std::vector<shared_object> candidates(const std::optional<shared_object>& wanted) {
  std::vector<shared_object> found;
  for (const shared_object& one : shared_object::defining("SSL_CTX_new")) {
    if (!wanted || crypto_of(one) == wanted) found.push_back(one);
  }
  return found;
}

[[noreturn]] void refuse_ambiguous(const std::vector<shared_object>& several) {
  std::string names;
  for (const shared_object& one : several) {
    if (!names.empty()) names += " and ";
    names += name_of(one);
  }
  throw failure(
      HSMTLS_OPENSSL_AMBIGUOUS,
      "this process has several copies of OpenSSL's libssl: " + names +
          ". Say which one is meant with hsmtls_openssl_bind(TLS_method(), EVP_sha256())");
}

shared_object search_ssl(const std::optional<shared_object>& wanted) {
  const std::vector<shared_object> found = candidates(wanted);
  if (found.size() > 1) refuse_ambiguous(found);
  if (found.size() == 1) return found.front();
  const std::optional<shared_object> system = shared_object::loaded("libssl.so.3", true);
  if (!system) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  "nothing in this process is OpenSSL, and libssl.so.3 cannot be loaded. Install "
                  "OpenSSL 3 (Debian: libssl3)");
  }
  if (wanted && crypto_of(*system) != wanted) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  "hsmtls uses the libcrypto in " + name_of(*wanted) +
                      ", and no libssl in this process belongs to it (" + name_of(*system) +
                      " uses another)");
  }
  return *system;
}

}  // namespace

const crypto_functions& crypto() {
  return *crypto_bound.load(std::memory_order_acquire);
}
const ssl_functions& ssl() {
  return *ssl_bound.load(std::memory_order_acquire);
}

bool is_bound() {
  return crypto_bound.load(std::memory_order_acquire) != nullptr;
}
const char* where() {
  return where_text.load(std::memory_order_acquire);
}

// Written before ssl_bound, and never again.
std::span<const SSL_METHOD* const> ssl_methods() {
  return state().ssl_methods;
}
bool is_in_ssl(const void* address) {
  return shared_object::of(address) == state().ssl_object;
}

void bind(const void* method, const void* digest) {
  binding& all = state();
  const std::lock_guard lock(all.mutex);
  const std::optional<shared_object> ssl_object = shared_object::of(method);
  const std::optional<shared_object> crypto_object = shared_object::of(digest);
  if ((method != nullptr && !ssl_object) || (digest != nullptr && !crypto_object) ||
      (method == nullptr && digest == nullptr)) {
    throw failure(HSMTLS_BAD_ARGUMENT,
                  "hsmtls_openssl_bind: pass what TLS_method() and EVP_sha256() returned; these "
                  "pointers point into no library");
  }
  if (!ssl_object) return bind_crypto_to(all, *crypto_object);
  bind_both_to(all, crypto_object ? *crypto_object : known_crypto_of(*ssl_object), *ssl_object);
}

void bind_main() {
  binding& all = state();
  const std::lock_guard lock(all.mutex);
  std::vector<shared_object> found;
  for (const shared_object& one : shared_object::defining("SSL_CTX_new")) {
    if (one.is_from_start_up()) found.push_back(one);
  }
  // The loader resolves to the first: what comes later among them is never used.
  if (found.empty()) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  "neither the main program nor a library that was loaded with it has OpenSSL's "
                  "functions for others to call");
  }
  bind_both_to(all, known_crypto_of(found.front()), found.front());
}

void bind_core(const void* dispatch) {
  binding& all = state();
  const std::lock_guard lock(all.mutex);
  const std::optional<shared_object> object = shared_object::of(dispatch);
  if (!object) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  "the libcrypto that loads this provider cannot be found");
  }
  bind_crypto_to(all, *object);
}

void need_crypto() {
  if (is_bound()) return;
  binding& all = state();
  const std::lock_guard lock(all.mutex);
  if (all.crypto_object) return;
  const shared_object ssl_object = search_ssl(std::nullopt);
  bind_both_to(all, known_crypto_of(ssl_object), ssl_object);
}

void need_ssl() {
  need_crypto();
  if (ssl_bound.load(std::memory_order_acquire) != nullptr) return;
  binding& all = state();
  const std::lock_guard lock(all.mutex);
  if (!all.ssl_object) bind_ssl_to(all, search_ssl(all.crypto_object));
}

}  // namespace hsmtls::host
