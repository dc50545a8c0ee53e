// Where the calls of a shared object go: what the dynamic loader has bound them to.
#pragma once

#include <link.h>

#include <functional>
#include <string_view>

namespace hsmtls::pkcs11 {

// A function that a shared object calls by name.
struct bound_call {
  std::string_view name;
  bool defined_here;   // the object itself has one of that name
  const void* target;  // in the object's own stubs as long as it is not bound
};

// `any_bound_call` tells whether `is` holds for any of them.
bool any_bound_call(const link_map& object, const std::function<bool(const bound_call&)>& is);

}  // namespace hsmtls::pkcs11
