// How a vendor's module is brought into the process.
#pragma once

#include <cstdint>

namespace hsmtls::pkcs11 {

// Where an object is mapped.
struct address_range {
  uintptr_t begin;
  uintptr_t end;
  [[nodiscard]] bool holds(const void* address) const {
    const auto at = reinterpret_cast<uintptr_t>(address);
    return begin <= at && at < end;
  }
};
address_range main_program();

// `vendor_dlopen_flags` returns RTLD_NOW | RTLD_LOCAL, with RTLD_DEEPBIND added only where the main
// program itself defines libcrypto's functions (official Node builds): there the module would
// otherwise call the program's libcrypto instead of its own. Elsewhere DEEPBIND does harm: ASan and
// TSan refuse it, and a preloaded jemalloc ends in a heap mix.
int vendor_dlopen_flags();

// `main_program_defines` tells whether the executable itself (not a library it uses) defines
// `symbol`. A PLT entry of a non-PIE program is not a definition.
bool main_program_defines(const char* symbol);

}  // namespace hsmtls::pkcs11
