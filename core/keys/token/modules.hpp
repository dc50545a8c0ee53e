// Which vendors' PKCS#11 modules there are to look in.
#pragma once

#include <string>
#include <vector>

namespace hsmtls::keys {

// `use_modules` makes sure that there are modules to look in: `module`, if one is named; else what
// HSMTLS_MODULE names; else what p11-kit has registered. Throws failure (MODULE_UNUSABLE).
void use_modules(const std::string& module);

// `registered_modules` returns the files that p11-kit's `.module` files name (pkcs11.conf(5)) in the
// folders `folders`, of which a later one overrides an earlier one. Left out: p11-kit's own proxy and
// trust modules, our own front module, modules that live in another process (`remote:`), and those
// that are not for the program `program`. Those of a higher priority come first.
std::vector<std::string> registered_modules(const std::vector<std::string>& folders,
                                            const std::string& modules_folder,
                                            const std::string& program);

}  // namespace hsmtls::keys
