// One instance per process, whatever the loader does: two copies of this library (a wheel's and the
// system's) find each other through one symbol, the first loaded owns the state, later ones forward
// to it.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11 {

// What a copy publishes. Its first two members never change, in any version, so that copies of
// different versions can at least name each other.
struct instance_record {
  uint32_t abi_version;
  const char* file;  // where this copy was loaded from
  CK_C_GetFunctionList get_function_list;
  CK_C_GetInterfaceList get_interface_list;
  CK_C_GetInterface get_interface;
  const void* private_functions;  // hsmtls_pkcs11_functions of private/hsmtls_pkcs11.h
};

// Tests build a copy of another version.
#ifndef HSMTLS_INSTANCE_ABI_VERSION
#define HSMTLS_INSTANCE_ABI_VERSION 1
#endif
inline constexpr uint32_t instance_abi_version = HSMTLS_INSTANCE_ABI_VERSION;

// A static member of a class template has vague linkage, for which GCC emits STB_GNU_UNIQUE: the
// dynamic loader then resolves it to one definition in the whole process, RTLD_LOCAL or not. The
// version is in the record, not in the name: copies that did not see each other could not refuse
// each other.
template <class>
struct [[gnu::visibility("default")]] process_wide {
  static std::atomic<const instance_record*> first;
};
template <class Tag>
std::atomic<const instance_record*> process_wide<Tag>::first{nullptr};

struct [[gnu::visibility("default")]] instance_tag;

// `publish` offers this copy's record at load; the first copy's stays.
void publish(const instance_record& mine);

// `owner` returns the record of the copy that owns the state: this one's, or the first loaded
// copy's. Null, with a complaint, if that is of another ABI version.
const instance_record* owner();

}  // namespace hsmtls::pkcs11
