// The token layer below (libhsmtls-pkcs11.so), and its errors as ours.
#pragma once

#include <string>

#include "core/keys/failure.hpp"
#include "core/keys/host/handles.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::keys {

// `face` returns the token layer's table. Throws failure (MODULE_UNUSABLE) where the process has
// another version of that library.
const hsmtls_p11_functions& face();

// `failure_of` says in our words what the token layer said.
failure failure_of(const hsmtls_p11_error& error);

// `ckr_name` returns "CKR_PIN_LOCKED" and the like; "" for 0, which says nothing.
std::string ckr_name(uint64_t ckr);

// `checked` calls a function of the table, whose last argument is an error, and throws what it says.
// A vendor's module that works with the host's own libcrypto (SoftHSM) leaves entries on the thread's
// error queue even when all went well; to SSL_get_error(3) any entry is a connection that failed.
template <class Function, class... Arguments>
void checked(Function function, Arguments... arguments) {
  const host::error_mark mark;
  hsmtls_p11_error error;
  if (function(arguments..., &error) != HSMTLS_P11_OK) throw failure_of(error);
}

}  // namespace hsmtls::keys
