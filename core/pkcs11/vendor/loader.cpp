#include "core/pkcs11/vendor/loader.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>

namespace hsmtls::pkcs11 {

address_range main_program() {
  address_range found{UINTPTR_MAX, 0};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        // The first object reported is the main program.
        auto& range = *static_cast<address_range*>(out);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          const uintptr_t address = info->dlpi_addr + header.p_vaddr;
          range.begin = std::min(range.begin, address);
          range.end = std::max(range.end, address + header.p_memsz);
        }
        return 1;
      },
      &found);
  return found;
}

bool main_program_defines(const char* symbol) {
  void* address = dlsym(RTLD_DEFAULT, symbol);
  if (address == nullptr) return false;
  Dl_info object{};
  const ElfW(Sym)* entry = nullptr;
  if (dladdr1(address,
              &object,
              reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&entry)),
              RTLD_DL_SYMENT) == 0) {
    return false;
  }
  // In a non-PIE program a function's address is a PLT slot of the program, whose symbol stays
  // undefined.
  return main_program().holds(address) && entry != nullptr && entry->st_shndx != SHN_UNDEF;
}

int vendor_dlopen_flags() {
  const int flags = RTLD_NOW | RTLD_LOCAL;
  return main_program_defines("OPENSSL_init_crypto") ? flags | RTLD_DEEPBIND : flags;
}

}  // namespace hsmtls::pkcs11
