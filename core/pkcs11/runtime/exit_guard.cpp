#include "core/pkcs11/runtime/exit_guard.hpp"

#include <cstdlib>

#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr milliseconds longest_wait_at_exit{2000};

void close_modules() {
  runtime::close_all(steady::now() + longest_wait_at_exit);
}

}  // namespace

void arm_exit_guard() {
  std::atexit(close_modules);
}

}  // namespace hsmtls::pkcs11
