#include "core/keys/host/shared_object.hpp"

#include <dlfcn.h>
#include <elf.h>

#include <cstring>
#include <set>

#include "core/pkcs11/base/bound_calls.hpp"

namespace hsmtls::host {
namespace {

// A handle of an object that is there already; closed again at once by `with_handle`, which changes
// nothing: whoever loaded it still has it.
template <class Function>
auto with_handle(const link_map* map, Function&& function) -> decltype(function(nullptr)) {
  void* const handle =
      dlopen(map->l_name[0] == '\0' ? nullptr : map->l_name, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return {};
  auto result = function(handle);
  dlclose(handle);
  return result;
}

link_map* map_of(const void* address, const ElfW(Sym) ** symbol = nullptr) {
  Dl_info info;
  void* extra = nullptr;
  if (symbol != nullptr) {
    if (dladdr1(address, &info, &extra, RTLD_DL_SYMENT) == 0) return nullptr;
    *symbol = static_cast<const ElfW(Sym)*>(extra);
  }
  if (dladdr1(address, &info, &extra, RTLD_DL_LINKMAP) == 0) return nullptr;
  return static_cast<link_map*>(extra);
}

// Values of a dynamic entry's tag. glibc relocates the table's pointers on all architectures of ours.
template <class Each>
void each_needed(const link_map* map, Each&& each) {
  const char* strings = nullptr;
  for (const ElfW(Dyn)* one = map->l_ld; one->d_tag != DT_NULL; ++one) {
    if (one->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(one->d_un.d_ptr);
  }
  if (strings == nullptr) return;
  for (const ElfW(Dyn)* one = map->l_ld; one->d_tag != DT_NULL; ++one) {
    if (one->d_tag == DT_NEEDED) each(strings + one->d_un.d_val);
  }
}

link_map* main_map() {
  link_map* map = nullptr;
  if (void* const program = dlopen(nullptr, RTLD_LAZY)) {
    dlinfo(program, RTLD_DI_LINKMAP, &map);
    dlclose(program);
  }
  return map;
}

}  // namespace

std::optional<shared_object> shared_object::of(const void* address) {
  if (address == nullptr) return std::nullopt;
  link_map* const map = map_of(address);
  if (map == nullptr) return std::nullopt;
  return shared_object(map);
}

shared_object shared_object::main_program() {
  return shared_object(main_map());
}

std::vector<shared_object> shared_object::defining(const char* symbol) {
  // The list of the loader is copied first: what we ask below takes the loader's lock again.
  std::vector<const void*> segments;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
          static_cast<std::vector<const void*>*>(out)->push_back(
              reinterpret_cast<const void*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr));
          break;
        }
        return 0;
      },
      &segments);
  std::vector<shared_object> found;
  for (const void* segment : segments) {
    const std::optional<shared_object> one = of(segment);
    if (one && one->own(symbol) != nullptr) found.push_back(*one);
  }
  return found;
}

std::optional<shared_object> shared_object::loaded(const char* name, bool load) {
  void* const handle = dlopen(name, load ? RTLD_NOW : RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return std::nullopt;
  // Never closed if it was loaded here: the table points into it for good.
  link_map* map = nullptr;
  const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
  if (!load) dlclose(handle);
  if (!known) return std::nullopt;
  return shared_object(map);
}

std::string shared_object::name() const {
  return is_main() ? "the main program" : map_->l_name;
}

bool shared_object::is_from_start_up() const {
  if (is_main()) return true;
  std::set<const link_map*> seen;
  std::vector<const link_map*> open{main_map()};
  while (!open.empty()) {
    const link_map* const one = open.back();
    open.pop_back();
    if (!seen.insert(one).second) continue;
    if (one == map_) return true;
    each_needed(one, [&](const char* needed) {
      if (void* const handle = dlopen(needed, RTLD_LAZY | RTLD_NOLOAD)) {
        link_map* map = nullptr;
        if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) open.push_back(map);
        dlclose(handle);
      }
    });
  }
  return false;
}

void* shared_object::own(const char* symbol) const {
  void* const address = reach(symbol);
  if (address == nullptr) return nullptr;
  const ElfW(Sym)* entry = nullptr;
  if (map_of(address, &entry) != map_) return nullptr;
  return entry != nullptr && entry->st_shndx == SHN_UNDEF ? nullptr : address;
}

void* shared_object::reach(const char* symbol) const {
  return with_handle(map_, [&](void* handle) -> void* {
    return handle != nullptr ? dlsym(handle, symbol) : nullptr;
  });
}

std::optional<shared_object> shared_object::called(const char* symbol) const {
  std::optional<shared_object> found;
  pkcs11::any_bound_call(*map_, [&](const pkcs11::bound_call& one) {
    if (one.name == symbol) found = of(one.target);
    return found.has_value();
  });
  // In this object itself without being defined here: a stub, which is not bound yet.
  if (found == *this && own(symbol) == nullptr) return std::nullopt;
  return found;
}

}  // namespace hsmtls::host
