// Our errors on OpenSSL's queue, where no provider is in play.
#pragma once

#include "core/keys/failure.hpp"

namespace hsmtls::keys {

// `raise` puts a failure on this thread's queue, as an error of the library "hsmtls".
void raise(const failure& problem) noexcept;

}  // namespace hsmtls::keys
