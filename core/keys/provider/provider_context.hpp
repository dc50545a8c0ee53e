// One loaded instance of our provider: what its core handed over, and how it is configured.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "core/keys/failure.hpp"
#include "core/keys/host/handles.hpp"
#include "core/keys/token/objects.hpp"
#include "core/keys/token/token_key.hpp"

namespace hsmtls::keys {

struct provider_context {
  const OSSL_CORE_HANDLE* handle = nullptr;
  OSSL_FUNC_core_new_error_fn* new_error = nullptr;
  OSSL_FUNC_core_vset_error_fn* vset_error = nullptr;
  OSSL_FUNC_BIO_read_ex_fn* bio_read_ex = nullptr;
  OSSL_FUNC_BIO_gets_fn* bio_gets = nullptr;
  OSSL_FUNC_BIO_write_ex_fn* bio_write_ex = nullptr;

  // Where digests are fetched first: the library context that loaded us, or none (in process).
  OSSL_LIB_CTX* libctx = nullptr;

  // As a configured provider a reference PEM and a pkcs11: URI open keys by themselves; in process
  // only what is open already is found.
  bool configured = false;
  std::string module;      // hsmtls-module in the provider's section of openssl.cnf
  std::string pin_source;  // hsmtls-pin-source

  // `raise` puts what went wrong on the thread's error queue: our code as the reason, the message as
  // its data. CPython trusts errno more than the queue, so that is cleared.
  void raise(const failure& problem) const noexcept;

  // `fetch_digest` returns a digest of the host's; null: there is none of that name.
  [[nodiscard]] host::md fetch_digest(const char* name, const char* properties = nullptr) const;

  // What the user's own URI, or a reference, names in the configured modules. The PIN is the URI's,
  // else the section's, else the environment's. Throw failure.
  [[nodiscard]] std::shared_ptr<token_key> open_key(pkcs11::uri uri) const;
  [[nodiscard]] std::vector<certificate_der> find_certificates(const pkcs11::uri& uri) const;
  [[nodiscard]] hsmtls_p11_login login() const;
};

// While it lives, errno is ours; afterwards it is as it was. CPython takes any errno for the reason of
// a failure that comes later (a certificate for another key: "No such file or directory").
class errno_kept {
 public:
  errno_kept() : before_(errno) {}
  ~errno_kept() { errno = before_; }
  errno_kept(const errno_kept&) = delete;
  errno_kept& operator=(const errno_kept&) = delete;

 private:
  int before_;
};

// `guarded` is the border of every function that libcrypto calls: what is thrown is put on the error
// queue, and `otherwise` returned.
template <class Result, class Function>
Result guarded(const provider_context& context, Result otherwise, Function&& function) noexcept {
  try {
    const errno_kept kept;
    return function();
  } catch (const std::exception&) {
    caught([&](const failure& problem) { context.raise(problem); });
  }
  errno = 0;
  return otherwise;
}

// A row of a dispatch table. libcrypto knows the real type by the number.
template <class Function>
OSSL_DISPATCH row(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace hsmtls::keys
