#include "core/keys/evp/raise.hpp"

#include <cerrno>

#include "core/keys/host/openssl.hpp"

namespace hsmtls::keys {
namespace {

int library_number() {
  static const int number = [] {
    const int made = host::crypto().ERR_get_next_error_library();
    static ERR_STRING_DATA strings[] = {{0, "hsmtls"},
#define ERROR(value, name, category, sentence) {value, sentence},
#include "core/error_codes.def"
#undef ERROR
                                        {0, nullptr}};
    // The first row names the library itself.
    strings[0].error = ERR_PACK(made, 0, 0);
    host::crypto().ERR_load_strings(made, strings);
    return made;
  }();
  return number;
}

}  // namespace

void raise(const failure& problem) noexcept {
  host::crypto().ERR_new();
  host::crypto().ERR_set_error(library_number(), problem.code(), "%s", problem.what());
  errno = 0;
}

}  // namespace hsmtls::keys
