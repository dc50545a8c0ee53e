#include "core/keys/evp/handed_key.hpp"

#include <array>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/installed.hpp"
#include "core/keys/provider/provider_key.hpp"

namespace hsmtls::keys {

using host::crypto;

host::pkey provider_pkey(const std::shared_ptr<token_key>& key) {
  key->with_token(
      [](hsmtls_p11_key*) {});  // a closed one is refused now, not at the first signature
  OSSL_LIB_CTX* const context = own_context();
  const host::error_mark mark;
  const lease lent(key);
  uint64_t number = lent.number();
  std::array parameters{crypto().OSSL_PARAM_construct_uint64(lent_key_parameter, &number),
                        crypto().OSSL_PARAM_construct_end()};
  const host::pkey_ctx maker(
      crypto().EVP_PKEY_CTX_new_from_name(context, name_of(key->type()), ours));
  EVP_PKEY* made = nullptr;
  if (!maker || crypto().EVP_PKEY_fromdata_init(maker.get()) <= 0 ||
      crypto().EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_KEYPAIR, parameters.data()) <= 0) {
    throw failure(HSMTLS_INTERNAL, "OpenSSL does not take the token's key as one of its own");
  }
  return host::pkey(made);
}

}  // namespace hsmtls::keys
