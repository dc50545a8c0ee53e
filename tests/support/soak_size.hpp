// How long soak tests go on: a tenth under sanitizers.
#pragma once

namespace hsmtls::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int soak_divisor = 10;
#else
inline constexpr int soak_divisor = 1;
#endif

}  // namespace hsmtls::test
