#include "core/legacy/bound_symbol.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstdint>
#include <cstring>

namespace hsmtls::legacy {
namespace {

constexpr unsigned long symbol_of(const ElfW(Rela) & one) {
#if __ELF_NATIVE_CLASS == 64
  return ELF64_R_SYM(one.r_info);
#else
  return ELF32_R_SYM(one.r_info);
#endif
}
constexpr unsigned long symbol_of(const ElfW(Rel) & one) {
#if __ELF_NATIVE_CLASS == 64
  return ELF64_R_SYM(one.r_info);
#else
  return ELF32_R_SYM(one.r_info);
#endif
}

// A library's table of functions, as its dynamic section describes it (System V ABI, "Dynamic
// Section": DT_JMPREL and what goes with it).
struct function_table {
  ElfW(Addr) base = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const void* entries = nullptr;
  size_t bytes = 0;
  bool with_addends = false;

  explicit function_table(const link_map& of) : base(of.l_addr) {
    // On most machines glibc has made addresses of the offsets.
    const auto address = [&](ElfW(Addr) given) { return given < base ? base + given : given; };
    for (const ElfW(Dyn)* one = of.l_ld; one->d_tag != DT_NULL; ++one) {
      switch (one->d_tag) {
        case DT_SYMTAB:
          symbols = reinterpret_cast<const ElfW(Sym)*>(address(one->d_un.d_ptr));
          break;
        case DT_STRTAB:
          names = reinterpret_cast<const char*>(address(one->d_un.d_ptr));
          break;
        case DT_JMPREL:
          entries = reinterpret_cast<const void*>(address(one->d_un.d_ptr));
          break;
        case DT_PLTRELSZ:
          bytes = one->d_un.d_val;
          break;
        case DT_PLTREL:
          with_addends = one->d_un.d_val == DT_RELA;
          break;
        default:
          break;
      }
    }
  }

  template <class Entry>
  [[nodiscard]] const void* find(const char* name) const {
    const auto* const first = static_cast<const Entry*>(entries);
    for (size_t i = 0; i < bytes / sizeof(Entry); ++i) {
      if (std::strcmp(names + symbols[symbol_of(first[i])].st_name, name) != 0) continue;
      return *reinterpret_cast<const void* const*>(base + first[i].r_offset);
    }
    return nullptr;
  }
};

}  // namespace

const void* bound_symbol(void* library, const char* name) {
  link_map* map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return nullptr;
  const function_table table(*map);
  if (table.symbols == nullptr || table.names == nullptr || table.entries == nullptr)
    return nullptr;
  return table.with_addends ? table.find<ElfW(Rela)>(name) : table.find<ElfW(Rel)>(name);
}

}  // namespace hsmtls::legacy
