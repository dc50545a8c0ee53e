// libhsmtls.so as an OpenSSL provider: what libcrypto calls after it has loaded the file (provider(7)).
#include "core/keys/provider/entry.hpp"

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(
    const OSSL_CORE_HANDLE* handle,
    const OSSL_DISPATCH* in,
    const OSSL_DISPATCH** out,
    void** provider) {
  return hsmtls::keys::start_configured(handle, in, out, provider);
}
