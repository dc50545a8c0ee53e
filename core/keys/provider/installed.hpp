// The provider inside the process: what its library contexts are.
#pragma once

#include "core/keys/host/handles.hpp"

namespace hsmtls::keys {

// `install` adds our in-process provider to the default library context, behind those that are there,
// for the life of the process. Again: nothing. Throws failure (OPENSSL_UNUSABLE) where the
// configuration would make OpenSSL overlook it.
void install();
[[nodiscard]] bool is_installed();

// `own_context` returns a library context of our own, with our provider beside those of the host's:
// keys that are handed over as objects live there, with no effect on anybody's algorithms. Made once; never freed,
// since keys of it may outlive everything. Throws failure.
OSSL_LIB_CTX* own_context();

}  // namespace hsmtls::keys
