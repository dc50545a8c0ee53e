// Leaks that are not ours.
#pragma once

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace hsmtls::test {

// `expect_foreign_leaks` has LeakSanitizer pass over what this thread allocates from now on. Who calls it
// says whose leak it is.
inline void expect_foreign_leaks() {
#ifdef __SANITIZE_ADDRESS__
  __lsan_disable();
#endif
}

}  // namespace hsmtls::test
