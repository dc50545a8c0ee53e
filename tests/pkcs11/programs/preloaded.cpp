// Preloaded (LD_PRELOAD) into programs that know nothing of hsmtls, such as curl: what the binding
// vendor finds first where it is bound as usual, and the call that loads hsmtls into the program.
#include <cstdio>
#include <cstdlib>

#include "tests/support/module.hpp"

extern "C" {

__attribute__((visibility("default"))) const char* hsmtls_test_where() {
  return "program";
}

// `hsmtls_test_load` returns what C_Initialize of the module `file` answered, or -1.
__attribute__((visibility("default"))) long hsmtls_test_load(const char* file) {
  try {
    const hsmtls::test::module_under_test module(file);
    return static_cast<long>(module->C_Initialize(nullptr));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return -1;
  }
}

}  // extern "C"

namespace {

// For programs that call no function of ours: the libraries that they are linked with are there
// already.
[[gnu::constructor]] void load_at_start() {
  if (const char* file = std::getenv("HSMTLS_TEST_LOAD_AT_START")) hsmtls_test_load(file);
}

}  // namespace
