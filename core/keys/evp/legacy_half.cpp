#include "core/keys/evp/legacy_half.hpp"

#include <cerrno>
#include <cstring>
#include <new>

#include "core/keys/evp/raise.hpp"
#include "core/keys/token/signing.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;
using shared_key = std::shared_ptr<token_key>;

enum class mode { real, dry, dry_and_reached };
thread_local mode this_thread = mode::real;

// True: this signature is a rehearsal, and is over.
bool is_rehearsal() {
  if (this_thread == mode::real) return false;
  this_thread = mode::dry_and_reached;
  return true;
}

template <class Function, class Result>
Result guarded(Result otherwise, Function&& function) noexcept {
  try {
    return function();
  } catch (const std::exception&) {
    caught(raise);
  }
  return otherwise;
}

void free_slot(void*, void* slot, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<shared_key*>(slot);
}

int copy_slot(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** slot, int, long, void*) {
  if (*slot == nullptr) return 1;
  *slot = new (std::nothrow) shared_key(*static_cast<const shared_key*>(*slot));
  return *slot != nullptr ? 1 : 0;
}

struct methods {
  RSA_METHOD* rsa;
  EC_KEY_METHOD* ec;
  int rsa_slot;
  int ec_slot;
};
const methods& ours();

token_key* key_of(const RSA* half) {
  auto* const slot = static_cast<shared_key*>(crypto().RSA_get_ex_data(half, ours().rsa_slot));
  return slot != nullptr ? slot->get() : nullptr;
}
token_key* key_of(const EC_KEY* half) {
  auto* const slot = static_cast<shared_key*>(crypto().EC_KEY_get_ex_data(half, ours().ec_slot));
  return slot != nullptr ? slot->get() : nullptr;
}

// PKCS#1 v1.5 comes as a DigestInfo that is yet to be padded, PSS as a block that is padded already.
int rsa_sign(int length, const unsigned char* from, unsigned char* to, RSA* half, int padding) {
  if (is_rehearsal()) return -1;
  return guarded(-1, [&] {
    token_key* const key = key_of(half);
    if (key == nullptr || (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING)) {
      throw failure(HSMTLS_UNSUPPORTED, "this RSA padding is not supported");
    }
    const std::vector<uint8_t> made =
        sign_block(*key,
                   padding == RSA_NO_PADDING ? rsa_padding::none : rsa_padding::pkcs1,
                   {from, static_cast<size_t>(length)});
    std::memcpy(to, made.data(), made.size());
    return static_cast<int>(made.size());
  });
}

int rsa_decrypt(int, const unsigned char*, unsigned char*, RSA*, int) {
  raise(failure(HSMTLS_UNSUPPORTED, "a key of hsmtls signs; it does not decrypt"));
  return -1;
}

ECDSA_SIG* ec_sign_numbers(
    const unsigned char* digest, int length, const BIGNUM*, const BIGNUM*, EC_KEY* half) {
  if (is_rehearsal()) return nullptr;
  return guarded(static_cast<ECDSA_SIG*>(nullptr), [&] {
    token_key* const key = key_of(half);
    if (key == nullptr) throw failure(HSMTLS_UNSUPPORTED, "this key has no private half");
    return sign_ecdsa(*key, {digest, static_cast<size_t>(length)}).release();
  });
}

int ec_sign(int,
            const unsigned char* digest,
            int length,
            unsigned char* signature,
            unsigned int* signature_len,
            const BIGNUM* inverse,
            const BIGNUM* x,
            EC_KEY* half) {
  const host::ecdsa_sig made(ec_sign_numbers(digest, length, inverse, x, half));
  if (!made) return 0;
  const int written = crypto().i2d_ECDSA_SIG(made.get(), &signature);
  *signature_len = static_cast<unsigned int>(written);
  return written > 0 ? 1 : 0;
}

// Made once, for life.
const methods& ours() {
  static const methods only = [] {
    methods made{};
    made.rsa = crypto().RSA_meth_dup(crypto().RSA_PKCS1_OpenSSL());
    crypto().RSA_meth_set1_name(made.rsa, "hsmtls");
    crypto().RSA_meth_set_priv_enc(made.rsa, rsa_sign);
    crypto().RSA_meth_set_priv_dec(made.rsa, rsa_decrypt);
    crypto().RSA_meth_set_flags(made.rsa, RSA_FLAG_EXT_PKEY);
    made.ec = crypto().EC_KEY_METHOD_new(crypto().EC_KEY_OpenSSL());
    crypto().EC_KEY_METHOD_set_sign(made.ec, ec_sign, nullptr, ec_sign_numbers);
    made.rsa_slot = crypto().CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_RSA, 0, nullptr, nullptr, copy_slot, free_slot);
    made.ec_slot = crypto().CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_EC_KEY, 0, nullptr, nullptr, copy_slot, free_slot);
    return made;
  }();
  return only;
}

}  // namespace

bool make_legacy_half(RSA* half, const std::shared_ptr<token_key>& key) {
  auto slot = std::make_unique<shared_key>(key);
  if (crypto().RSA_set_method(half, ours().rsa) != 1 ||
      crypto().RSA_set_ex_data(half, ours().rsa_slot, slot.get()) != 1) {
    return false;
  }
  (void)slot.release();
  return crypto().RSA_get_method(half) == ours().rsa;
}

bool make_legacy_half(EC_KEY* half, const std::shared_ptr<token_key>& key) {
  auto slot = std::make_unique<shared_key>(key);
  if (crypto().EC_KEY_set_method(half, ours().ec) != 1 ||
      crypto().EC_KEY_set_ex_data(half, ours().ec_slot, slot.get()) != 1) {
    return false;
  }
  (void)slot.release();
  return crypto().EC_KEY_get_method(half) == ours().ec;
}

dry_run::dry_run() {
  this_thread = mode::dry;
}
dry_run::~dry_run() {
  this_thread = mode::real;
}
bool dry_run::was_reached() const {
  return this_thread == mode::dry_and_reached;
}

}  // namespace hsmtls::keys
