// OSSL_OP_ENCODER (provider-encoder(7)): the public half, as a SubjectPublicKeyInfo. Needed where our
// provider is alone in a library context (.NET's OpenKeyFromProvider; a host whose own provider could
// not be had in ours): i2d_PUBKEY, and so X509_REQ_set_pubkey and .NET, find no other there.
//
// The private half has encoders, too: they refuse. With none, libcrypto fails without a word.
#include <openssl/core_names.h>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/provider_key.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

void* make(void* provider) {
  return provider;
}
void release(void* /*context*/) {}
int does_selection(void* /*provider*/, int selection) {
  return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ? 1 : 0;
}

int encode(void* context,
           OSSL_CORE_BIO* out,
           const void* key,
           const OSSL_PARAM abstract[],
           int selection,
           OSSL_PASSPHRASE_CALLBACK* /*passphrase*/,
           void* /*passphrase_argument*/) {
  const auto& provider = *static_cast<const provider_context*>(context);
  if (key == nullptr || abstract != nullptr || does_selection(nullptr, selection) == 0) return 0;
  return guarded(provider, 0, [&] {
    uint8_t* der = nullptr;
    const int length =
        crypto().i2d_PUBKEY(static_cast<const provider_key*>(key)->public_half(), &der);
    const host::openssl_memory<uint8_t> owner(der);
    size_t written = 0;
    return length > 0 &&
           provider.bio_write_ex(
               out, reinterpret_cast<const char*>(der), static_cast<size_t>(length), &written) ==
               1 &&
           written == static_cast<size_t>(length);
  });
}

int selects_private(void* /*provider*/, int selection) {
  return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? 1 : 0;
}

int refuse(void* context,
           OSSL_CORE_BIO* /*out*/,
           const void* key,
           const OSSL_PARAM /*abstract*/[],
           int /*selection*/,
           OSSL_PASSPHRASE_CALLBACK* /*passphrase*/,
           void* /*passphrase_argument*/) {
  const auto& provider = *static_cast<const provider_context*>(context);
  return guarded(provider, 0, [&]() -> int {
    const auto* const one = static_cast<const provider_key*>(key);
    throw failure(HSMTLS_UNSUPPORTED,
                  one != nullptr && one->token
                      ? "the private key " + one->token->uri() +
                            " stays in the token; it can be written nowhere. A reference PEM names "
                            "it where a file is wanted"
                      : "this is a public key");
  });
}

const OSSL_DISPATCH table[] = {row(OSSL_FUNC_ENCODER_NEWCTX, make),
                               row(OSSL_FUNC_ENCODER_FREECTX, release),
                               row(OSSL_FUNC_ENCODER_DOES_SELECTION, does_selection),
                               row(OSSL_FUNC_ENCODER_ENCODE, encode),
                               {0, nullptr}};

const OSSL_DISPATCH refusal[] = {row(OSSL_FUNC_ENCODER_NEWCTX, make),
                                 row(OSSL_FUNC_ENCODER_FREECTX, release),
                                 row(OSSL_FUNC_ENCODER_DOES_SELECTION, selects_private),
                                 row(OSSL_FUNC_ENCODER_ENCODE, refuse),
                                 {0, nullptr}};

// What programs ask for by name; text is asked for without a structure.
#define HSMTLS_REFUSED(names, form, structure) \
  { names, HSMTLS_OURS ",output=" form ",structure=" structure, refusal, "" }
#define HSMTLS_ENCODERS(names)                                                  \
  {names, HSMTLS_OURS ",output=der,structure=SubjectPublicKeyInfo", table, ""}, \
      HSMTLS_REFUSED(names, "der", "PrivateKeyInfo"),                           \
      HSMTLS_REFUSED(names, "pem", "PrivateKeyInfo"),                           \
      HSMTLS_REFUSED(names, "der", "EncryptedPrivateKeyInfo"),                  \
      HSMTLS_REFUSED(names, "pem", "EncryptedPrivateKeyInfo"),                  \
      HSMTLS_REFUSED(names, "der", "type-specific"),                            \
      HSMTLS_REFUSED(names, "pem", "type-specific"), {                          \
    names, HSMTLS_OURS ",output=text", refusal, ""                              \
  }
const OSSL_ALGORITHM all[] = {HSMTLS_ENCODERS("RSA:rsaEncryption:1.2.840.113549.1.1.1"),
                              HSMTLS_ENCODERS("EC:id-ecPublicKey:1.2.840.10045.2.1"),
                              HSMTLS_ENCODERS("ED25519:1.3.101.112"),
                              {nullptr, nullptr, nullptr, nullptr}};
#undef HSMTLS_ENCODERS
#undef HSMTLS_REFUSED

}  // namespace

const OSSL_ALGORITHM* encoders() {
  return all;
}

}  // namespace hsmtls::keys
