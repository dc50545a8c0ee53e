// The keys of the identities that are open in this process: what a reference PEM may resolve to where
// the PEM is a stranger's.
#pragma once

#include <memory>
#include <string_view>

#include "core/keys/token/token_key.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

// `add_open_key` makes a key resolvable, by its own URI and by the one that it was opened with, until
// it is closed or gone.
void add_open_key(const std::shared_ptr<token_key>& key, std::string_view opened_with);

// `find_open_key` returns the key that `reference` fits; null if none does, or if it fits several
// different ones. No PKCS#11 call, no file.
std::shared_ptr<token_key> find_open_key(const pkcs11::uri& reference);

}  // namespace hsmtls::keys
