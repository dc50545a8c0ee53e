#include "core/pkcs11/vendor/mixed_libcrypto.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/vendor/loader.hpp"

namespace hsmtls::pkcs11 {
namespace {

#if defined(__x86_64__)
using relocation = ElfW(Rela);
constexpr unsigned call_type = R_X86_64_JUMP_SLOT;
#elif defined(__aarch64__)
using relocation = ElfW(Rela);
constexpr unsigned call_type = R_AARCH64_JUMP_SLOT;
#elif defined(__arm__)
using relocation = ElfW(Rel);
constexpr unsigned call_type = R_ARM_JUMP_SLOT;
#endif

#if __ELF_NATIVE_CLASS == 64
unsigned type_of(const relocation& one) {
  return static_cast<unsigned>(ELF64_R_TYPE(one.r_info));
}
size_t symbol_of(const relocation& one) {
  return ELF64_R_SYM(one.r_info);
}
#else
unsigned type_of(const relocation& one) {
  return ELF32_R_TYPE(one.r_info);
}
size_t symbol_of(const relocation& one) {
  return ELF32_R_SYM(one.r_info);
}
#endif

// The table of an object's calls by name.
struct calls {
  const ElfW(Sym) * symbols = nullptr;
  const relocation* first = nullptr;
  size_t bytes = 0;

  explicit calls(const link_map& object) {
    for (const ElfW(Dyn)* one = object.l_ld; one->d_tag != DT_NULL; ++one) {
      switch (one->d_tag) {
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(one->d_un.d_ptr);
          break;
        case DT_JMPREL:
          first = reinterpret_cast<const relocation*>(one->d_un.d_ptr);
          break;
        case DT_PLTRELSZ:
          bytes = one->d_un.d_val;
          break;
        default:
          break;
      }
    }
  }
};

// Whether a call of a function that `object` itself has goes into the main program.
bool calls_main_program(const link_map& object) {
  const calls all(object);
  const address_range program = main_program();
  const relocation* const end = all.first + all.bytes / sizeof(relocation);
  return std::any_of(all.first, end, [&](const relocation& one) {
    return type_of(one) == call_type && all.symbols[symbol_of(one)].st_shndx != SHN_UNDEF &&
           program.holds(*reinterpret_cast<void* const*>(object.l_addr + one.r_offset));
  });
}

unsigned long series_of(void* version_num) {
  return reinterpret_cast<unsigned long (*)()>(version_num)() >> 20U;
}

}  // namespace

std::string mixed_libcrypto(void* vendor_library) {
  void* const its_own = dlsym(vendor_library, "OpenSSL_version_num");
  void* const programs = dlsym(RTLD_DEFAULT, "OpenSSL_version_num");
  Dl_info libcrypto{};
  void* map = nullptr;
  if (its_own == nullptr || programs == nullptr || !main_program().holds(programs) ||
      dladdr1(its_own, &libcrypto, &map, RTLD_DL_LINKMAP) == 0 ||
      series_of(its_own) == series_of(programs) ||
      !calls_main_program(*static_cast<const link_map*>(map))) {
    return {};
  }
  return "it uses " + quoted_path(libcrypto.dli_fname) +
         ", which something else in this process loaded first, so that its functions are mixed "
         "with "
         "those of the main program's own OpenSSL, of another version. Open the token before that "
         "(Node.js: before any addon that is linked with libcrypto)";
}

}  // namespace hsmtls::pkcs11
