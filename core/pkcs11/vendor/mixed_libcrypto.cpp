#include "core/pkcs11/vendor/mixed_libcrypto.hpp"

#include <dlfcn.h>

#include "core/pkcs11/base/bound_calls.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/vendor/loader.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Whether calls of functions that `object` itself has go into the main program.
bool calls_main_program(const link_map& object) {
  const address_range program = main_program();
  return any_bound_call(
      object, [&](const bound_call& one) { return one.defined_here && program.holds(one.target); });
}

// 0x300 for all of 3.0, whose parts fit together.
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
