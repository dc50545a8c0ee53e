// The identity: a private key in a token, its certificate chain, and what unlocks it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "hsmtls/login.hpp"

struct ssl_ctx_st;
struct evp_pkey_st;

namespace hsmtls {

enum class event_type {
  lost = HSMTLS_EVENT_LOST,          // the token went away, or dropped its sessions
  restored = HSMTLS_EVENT_RESTORED,  // it is back, and the key is the same
  signed_ = HSMTLS_EVENT_SIGNED,
};

// How the token was asked to sign (PKCS#11 v3.1 sections 6.1 and 6.3).
enum class mechanism {
  none = 0,
  rsa_pkcs1 = HSMTLS_MECHANISM_RSA_PKCS1,
  rsa_pss = HSMTLS_MECHANISM_RSA_PSS,
  rsa_raw = HSMTLS_MECHANISM_RSA_RAW,  // for a padding that the token does not know
  ecdsa = HSMTLS_MECHANISM_ECDSA,
  eddsa = HSMTLS_MECHANISM_EDDSA,
};

struct event {
  event_type type;
  hsmtls::mechanism mechanism;  // of a signature; else none
  // Since the loss, or what the whole signature took, recovery included.
  std::chrono::microseconds took;
};

enum class key_type { rsa = HSMTLS_KEY_RSA, ec = HSMTLS_KEY_EC, ed25519 = HSMTLS_KEY_ED25519 };

// What is true of a key, or required of it (PKCS#11 v3.1 section 4.9).
struct key_properties {
  bool local = false;                // CKA_LOCAL: generated in the token
  bool always_sensitive = false;     // CKA_ALWAYS_SENSITIVE
  bool never_extractable = false;    // CKA_NEVER_EXTRACTABLE
  bool always_authenticate = false;  // CKA_ALWAYS_AUTHENTICATE
};

struct identity_options {
  // RFC 7512: "pkcs11:token=edge;object=device-key". Whatever fits exactly one private key is enough.
  std::string key;
  // A PEM file, PEM text (it begins with "-----BEGIN"), or a "pkcs11:" URI: the leaf and any
  // intermediates, in any order. Empty: from the token, by the key's CKA_ID.
  std::string certificate{};
  // The vendor's PKCS#11 file; only this one is asked. Empty: HSMTLS_MODULE, else what p11-kit has
  // registered.
  std::string module{};
  hsmtls::login login{};
  key_properties require{};          // opening fails with errc::key_policy where one is not true
  bool without_certificate = false;  // the key alone: for a certificate request
  // Of opening, and of each signature. 0: the configured default (HSMTLS_DEADLINE_MS, 2000).
  std::chrono::milliseconds deadline{0};
  // On the thread on which it happens, which may be any: return quickly, do not call back into hsmtls,
  // do not throw. Kept until the identity is closed.
  std::function<void(const event&)> on_event{};
};

struct identity_info {
  hsmtls::key_type key_type{};
  std::uint32_t key_bits = 0;  // RSA: of the modulus; else of the curve
  key_properties properties;
  std::string key_uri;                 // fits this key alone; no query, no PIN
  std::string key_name;                // "EC P-256", "RSA 2048", "Ed25519"
  std::uint32_t num_certificates = 0;  // leaf included
};

struct identity_counters {          // of the identity's token, since the process began
  std::uint32_t open_sessions = 0;  // now
  std::uint64_t lost = 0;
  std::uint64_t restored = 0;
  std::uint64_t signatures = 0;
  std::uint64_t failed_signatures = 0;
};

// In openssl.hpp.
struct tls_options;
struct ssl_ctx_freed;
struct evp_pkey_freed;
enum class key_kind;

// `identity` is a reference to an open identity, cheap to copy; the last one closes it. Default: none;
// only assignment, destruction and `operator bool` are for that. Different objects may be used from
// any thread, and one object from several at once as long as nobody assigns to it.
class identity {
 public:
  identity() = default;

  // `open` checks all that can be checked before a handshake: the module loads, the token is there,
  // the PIN is right, exactly one key fits, the certificate is for that key, the chain is in order.
  // Dates are only warned about (HSMTLS_LOG): a board without a clock wakes up in 1970. Blocks: it
  // talks to the token. It needs an OpenSSL to read certificates; where openssl.hpp is included that
  // is the includer's, else one that is searched for (hsmtls_openssl.h).
  static identity open(const identity_options& options);
  static identity open(const identity_options& options, diagnostics& problem);

  explicit operator bool() const noexcept { return shared_ != nullptr; }

  // What it is. No PKCS#11 call.
  [[nodiscard]] identity_info info() const;
  [[nodiscard]] identity_info info(diagnostics& problem) const;
  // The chain as PEM, leaf first; "" where there is none.
  [[nodiscard]] std::string certificate_pem() const {
    return hsmtls_identity_certificate_pem(shared_.get());
  }
  // The reference PEM of the key: it names the key and holds no key material. Good as a key wherever
  // OpenSSL reads PEM in this process, after install_provider(); and in others that have hsmtls as a
  // configured provider.
  [[nodiscard]] std::string key_pem() const { return hsmtls_identity_key_pem(shared_.get()); }
  // `write_files` writes certificate.pem and key.pem into the folder `directory`, which exists, for
  // SDKs that take files only. Each appears complete or not at all.
  void write_files(const std::string& directory) const;
  void write_files(const std::string& directory, diagnostics& problem) const;

  // `close` ends it now, whoever still has it: signatures by what was handed out of it fail with
  // errc::identity_closed, its PEM resolves no more. Twice: nothing.
  void close() noexcept { hsmtls_identity_close(shared_.get()); }

  [[nodiscard]] identity_counters counters() const;
  [[nodiscard]] identity_counters counters(diagnostics& problem) const;
  // Why the latest signature by this identity failed, which TLS stacks hide; none: it did not.
  [[nodiscard]] diagnostics last_error() const {
    hsmtls_error* const taken = hsmtls_identity_last_error(shared_.get());
    return {hsmtls_error_code_of(taken), taken};
  }

  // These need openssl.hpp; what they do is said there, and why they are hidden.
#pragma GCC visibility push(hidden)
  inline void apply(ssl_ctx_st* ssl_ctx) const;
  inline void apply(ssl_ctx_st* ssl_ctx, diagnostics& problem) const;
  [[nodiscard]] inline std::unique_ptr<ssl_ctx_st, ssl_ctx_freed> make_ssl_ctx(
      const tls_options& options) const;
  [[nodiscard]] inline std::unique_ptr<ssl_ctx_st, ssl_ctx_freed> make_ssl_ctx(
      const tls_options& options, diagnostics& problem) const;
  [[nodiscard]] inline std::unique_ptr<evp_pkey_st, evp_pkey_freed> evp_pkey(key_kind kind) const;
  [[nodiscard]] inline std::unique_ptr<evp_pkey_st, evp_pkey_freed> evp_pkey(
      key_kind kind, diagnostics& problem) const;
#pragma GCC visibility pop

  // The C face's handle, for its functions; still this object's.
  [[nodiscard]] hsmtls_identity* native_handle() const noexcept {
    return shared_.get();
  }

 private:
  explicit identity(hsmtls_identity* taken) : shared_(taken, &hsmtls_identity_release) {}

  std::shared_ptr<hsmtls_identity> shared_;
};

namespace detail {

inline std::uint32_t flags_of(const key_properties& from) {
  return (from.local ? HSMTLS_KEY_LOCAL : 0U) |
         (from.always_sensitive ? HSMTLS_KEY_ALWAYS_SENSITIVE : 0U) |
         (from.never_extractable ? HSMTLS_KEY_NEVER_EXTRACTABLE : 0U) |
         (from.always_authenticate ? HSMTLS_KEY_ALWAYS_AUTHENTICATE : 0U);
}

inline key_properties properties_of(std::uint32_t flags) {
  key_properties made;
  made.local = (flags & HSMTLS_KEY_LOCAL) != 0;
  made.always_sensitive = (flags & HSMTLS_KEY_ALWAYS_SENSITIVE) != 0;
  made.never_extractable = (flags & HSMTLS_KEY_NEVER_EXTRACTABLE) != 0;
  made.always_authenticate = (flags & HSMTLS_KEY_ALWAYS_AUTHENTICATE) != 0;
  return made;
}

using event_function = std::function<void(const event&)>;

// What an event function throws ends the process: there is nobody whom it could reach.
inline void tell(void* user, const hsmtls_event* what) noexcept {
  (*static_cast<event_function*>(user))(event{
      static_cast<event_type>(what->type),
      static_cast<mechanism>(what->mechanism),
      std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(what->microseconds))});
}

inline void forget(void* user) noexcept {
  delete static_cast<event_function*>(user);
}

inline std::uint32_t milliseconds(std::chrono::milliseconds given) {
  if (given.count() <= 0) return 0;
  return given.count() < UINT32_MAX ? static_cast<std::uint32_t>(given.count()) : UINT32_MAX;
}

}  // namespace detail

inline identity identity::open(const identity_options& options, diagnostics& problem) {
  if (!detail::has_openssl(problem)) return {};
  const detail::c_login how(options.login);
  hsmtls_identity_options wanted{};
  wanted.struct_size = sizeof wanted;
  wanted.deadline_ms = detail::milliseconds(options.deadline);
  wanted.key = options.key.c_str();
  wanted.certificate = detail::given(options.certificate);
  wanted.module = detail::given(options.module);
  wanted.login = how.get();
  wanted.require = detail::flags_of(options.require);
  wanted.flags = options.without_certificate ? HSMTLS_OPEN_WITHOUT_CERTIFICATE : 0U;
  if (options.on_event) {
    wanted.on_event = &detail::tell;
    wanted.event_user = new detail::event_function(options.on_event);
    wanted.event_release = &detail::forget;
  }
  hsmtls_identity* opened = nullptr;
  problem = detail::call(&hsmtls_identity_open, &wanted, &opened);
  identity made = opened != nullptr ? identity(opened) : identity();
  how.rethrow();
  return made;
}

inline identity identity::open(const identity_options& options) {
  return detail::thrown_by([&](diagnostics& problem) { return open(options, problem); });
}

inline identity_info identity::info(diagnostics& problem) const {
  hsmtls_identity_info from{};
  from.struct_size = sizeof from;
  problem = detail::call(&hsmtls_identity_get_info, shared_.get(), &from);
  identity_info made;
  if (problem) return made;
  made.key_type = static_cast<hsmtls::key_type>(from.key_type);
  made.key_bits = from.key_bits;
  made.properties = detail::properties_of(from.key_flags);
  made.key_uri = from.key_uri;
  made.key_name = from.key_name;
  made.num_certificates = from.num_certificates;
  return made;
}

inline identity_info identity::info() const {
  return detail::thrown_by([&](diagnostics& problem) { return info(problem); });
}

inline void identity::write_files(const std::string& directory, diagnostics& problem) const {
  problem = detail::call(&hsmtls_identity_write_files, shared_.get(), directory.c_str());
}

inline void identity::write_files(const std::string& directory) const {
  detail::thrown_by([&](diagnostics& problem) { write_files(directory, problem); });
}

inline identity_counters identity::counters(diagnostics& problem) const {
  hsmtls_identity_counters from{};
  from.struct_size = sizeof from;
  problem = detail::call(&hsmtls_identity_get_counters, shared_.get(), &from);
  identity_counters made;
  made.open_sessions = from.open_sessions;
  made.lost = from.lost;
  made.restored = from.restored;
  made.signatures = from.signatures;
  made.failed_signatures = from.failed_signatures;
  return made;
}

inline identity_counters identity::counters() const {
  return detail::thrown_by([&](diagnostics& problem) { return counters(problem); });
}

}  // namespace hsmtls
