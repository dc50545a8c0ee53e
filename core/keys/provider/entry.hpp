// The start of the provider as a loadable module.
#pragma once

#include <openssl/core.h>

namespace hsmtls::keys {

// `start_configured` is what OSSL_provider_init does (provider(7)).
int start_configured(const OSSL_CORE_HANDLE* handle,
                     const OSSL_DISPATCH* core,
                     const OSSL_DISPATCH** out,
                     void** out_provider) noexcept;

}  // namespace hsmtls::keys
