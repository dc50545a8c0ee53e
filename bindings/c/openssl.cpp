#include "core/keys/host/openssl.hpp"

#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "core/keys/evp/handed_key.hpp"
#include "hsmtls/hsmtls_openssl.h"

using namespace hsmtls;
using namespace hsmtls::c;

int32_t hsmtls_openssl_bind(const void* method, const void* digest, hsmtls_error** out_error) {
  return guard(out_error, [&] { host::bind(method, digest); });
}
int32_t hsmtls_openssl_bind_main(hsmtls_error** out_error) {
  return guard(out_error, [] { host::bind_main(); });
}
const char* hsmtls_openssl_where(void) {
  return host::where();
}

int32_t hsmtls_identity_evp_pkey(hsmtls_identity* identity,
                                 uint32_t kind,
                                 struct evp_pkey_st** out_key,
                                 hsmtls_error** out_error) {
  return guard(out_error, [&] {
    EVP_PKEY*& out = needed(out_key, "out_key");
    keys::identity& open = *needed(identity, "identity").open;
    switch (kind) {
      case HSMTLS_KEY_PROVIDER:
        out = keys::provider_pkey(open.key()).release();
        return;
      case HSMTLS_KEY_HYBRID:
        out = open.hybrid_or_method_pkey().release();
        return;
      case HSMTLS_KEY_METHOD:
        out = open.method_pkey().release();
        return;
      default:
        throw failure(HSMTLS_BAD_ARGUMENT, "`kind` is no hsmtls_key_kind");
    }
  });
}
