// One EVP_PKEY that answers both ways: a provider key whose cached legacy object signs in the token,
// too. libcrypto keeps the legacy object that a provider key was once downgraded to; we downgrade it
// ourselves while nobody else has the key, and give that object our methods.
#include "core/keys/evp/handed_key.hpp"
#include "core/keys/evp/legacy_half.hpp"
#include "core/keys/provider/provider_key.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

[[noreturn]] void refuse() {
  throw failure(HSMTLS_UNSUPPORTED,
                std::string(crypto().OpenSSL_version(OPENSSL_VERSION)) +
                    " cannot make a hybrid key of this one");
}

// Whether a signature by a copy of the legacy half, as .NET 8 makes it, comes back to us.
bool copy_comes_back(EVP_PKEY* copy) {
  const host::md_ctx context(crypto().EVP_MD_CTX_new());
  static constexpr unsigned char message[] = {'?'};
  unsigned char signature[1024];
  size_t length = sizeof signature;
  const dry_run rehearsal;
  if (crypto().EVP_DigestSignInit_ex(
          context.get(), nullptr, "SHA256", nullptr, nullptr, copy, nullptr) == 1) {
    (void)crypto().EVP_DigestSign(context.get(), signature, &length, message, sizeof message);
  }
  return rehearsal.was_reached();
}

template <class Half, class Get, class Set>
void prime(const host::pkey& made, const std::shared_ptr<token_key>& key, Get get, Set set) {
  const auto half = [&] { return const_cast<Half*>(get(made.get())); };
  Half* legacy = nullptr;
  {
    const priming now;
    legacy = half();
  }
  if (legacy == nullptr || !make_legacy_half(legacy, key) || half() != legacy) refuse();
  const host::pkey copy(crypto().EVP_PKEY_new());
  if (!copy || set(copy.get(), legacy) != 1 || !copy_comes_back(copy.get())) refuse();
  // Still a provider key: who uses that half gets the token's own mechanisms.
  if (crypto().EVP_PKEY_get0_provider(made.get()) == nullptr) refuse();
}

}  // namespace

host::pkey hybrid_pkey(const std::shared_ptr<token_key>& key) {
  host::pkey made = provider_pkey(key);
  const host::error_mark mark;
  switch (key->type()) {
    case key_type::rsa:
      prime<RSA>(made, key, crypto().EVP_PKEY_get0_RSA, crypto().EVP_PKEY_set1_RSA);
      break;
    case key_type::ec:
      prime<EC_KEY>(made, key, crypto().EVP_PKEY_get0_EC_KEY, crypto().EVP_PKEY_set1_EC_KEY);
      break;
    case key_type::ed25519:
      break;  // has no legacy form: who asks for one asks for RSA or EC
  }
  return made;
}

}  // namespace hsmtls::keys
