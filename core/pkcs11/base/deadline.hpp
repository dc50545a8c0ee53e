// Until when a call may try. One clock for the whole layer: steady, so that a board whose clock
// jumps from 1970 to today neither hangs nor gives up.
#pragma once

#include <chrono>

namespace hsmtls::pkcs11 {

using steady = std::chrono::steady_clock;
using time_point = steady::time_point;
using std::chrono::milliseconds;

inline bool passed(time_point until) {
  return steady::now() >= until;
}

inline double milliseconds_since(time_point start) {
  return std::chrono::duration<double, std::milli>(steady::now() - start).count();
}

}  // namespace hsmtls::pkcs11
