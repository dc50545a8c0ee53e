#include "core/pkcs11/base/bound_calls.hpp"

#include <elf.h>

#include <algorithm>

namespace hsmtls::pkcs11 {
namespace {

// A call goes through a slot of the procedure linkage table, or of the global offset table (gcc
// -fno-plt).
#if defined(__x86_64__)
using relocation = ElfW(Rela);
constexpr ElfW(Sword) data_tag = DT_RELA, data_size_tag = DT_RELASZ;
constexpr unsigned call_slot = R_X86_64_JUMP_SLOT, data_slot = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
using relocation = ElfW(Rela);
constexpr ElfW(Sword) data_tag = DT_RELA, data_size_tag = DT_RELASZ;
constexpr unsigned call_slot = R_AARCH64_JUMP_SLOT, data_slot = R_AARCH64_GLOB_DAT;
#elif defined(__arm__)
using relocation = ElfW(Rel);
constexpr ElfW(Sword) data_tag = DT_REL, data_size_tag = DT_RELSZ;
constexpr unsigned call_slot = R_ARM_JUMP_SLOT, data_slot = R_ARM_GLOB_DAT;
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

struct table {
  const relocation* first = nullptr;
  size_t bytes = 0;
};

// What the dynamic section says. glibc has made its pointers absolute on all architectures of ours.
struct dynamic {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  table calls;
  table data;

  explicit dynamic(const link_map& object) {
    for (const ElfW(Dyn)* one = object.l_ld; one->d_tag != DT_NULL; ++one) {
      const auto pointer = one->d_un.d_ptr;
      switch (one->d_tag) {
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(pointer);
          break;
        case DT_STRTAB:
          names = reinterpret_cast<const char*>(pointer);
          break;
        case DT_JMPREL:
          calls.first = reinterpret_cast<const relocation*>(pointer);
          break;
        case DT_PLTRELSZ:
          calls.bytes = one->d_un.d_val;
          break;
        case data_tag:
          data.first = reinterpret_cast<const relocation*>(pointer);
          break;
        case data_size_tag:
          data.bytes = one->d_un.d_val;
          break;
        default:
          break;
      }
    }
  }
};

}  // namespace

bool any_bound_call(const link_map& object, const std::function<bool(const bound_call&)>& is) {
  const dynamic all(object);
  if (all.symbols == nullptr || all.names == nullptr) return false;
  const auto any = [&](const table& some) {
    return std::any_of(
        some.first, some.first + some.bytes / sizeof(relocation), [&](const relocation& one) {
          if (type_of(one) != call_slot && type_of(one) != data_slot) return false;
          const ElfW(Sym)& symbol = all.symbols[symbol_of(one)];
          return is({all.names + symbol.st_name,
                     symbol.st_shndx != SHN_UNDEF,
                     *reinterpret_cast<void* const*>(object.l_addr + one.r_offset)});
        });
  };
  return any(all.calls) || any(all.data);
}

}  // namespace hsmtls::pkcs11
