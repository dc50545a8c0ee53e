// Counts what this process opens: every dlopen and every file, whoever asks for it. One translation
// unit of the program includes it: its functions stand in front of the C library's.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>

#include <atomic>
#include <cstdarg>

namespace hsmtls::test {

struct watched {
  static inline std::atomic<int> dlopens{0};
  static inline std::atomic<int> files{0};
};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace hsmtls::test

// NOLINTBEGIN(readability-identifier-naming): the C library's names.
extern "C" __attribute__((visibility("default"))) void* dlopen(const char* file,
                                                               int flags) noexcept {
  // RTLD_NOLOAD asks whether something is there; it brings nothing in.
  if ((flags & RTLD_NOLOAD) == 0) ++hsmtls::test::watched::dlopens;
  return hsmtls::test::next<void*(const char*, int)>("dlopen")(file, flags);
}

#define HSMTLS_WATCH_OPEN(name)                                                                  \
  extern "C" __attribute__((visibility("default"))) int name(const char* file, int flags, ...) { \
    std::va_list rest;                                                                           \
    va_start(rest, flags);                                                                       \
    const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;               \
    va_end(rest);                                                                                \
    ++hsmtls::test::watched::files;                                                              \
    return hsmtls::test::next<int(const char*, int, ...)>(#name)(file, flags, mode);             \
  }
HSMTLS_WATCH_OPEN(open)
HSMTLS_WATCH_OPEN(open64)
#undef HSMTLS_WATCH_OPEN

#define HSMTLS_WATCH_FOPEN(name)                                                   \
  extern "C" __attribute__((visibility("default"))) FILE* name(const char* file,   \
                                                               const char* mode) { \
    ++hsmtls::test::watched::files;                                                \
    return hsmtls::test::next<FILE*(const char*, const char*)>(#name)(file, mode); \
  }
HSMTLS_WATCH_FOPEN(fopen)
HSMTLS_WATCH_FOPEN(fopen64)
#undef HSMTLS_WATCH_FOPEN
// NOLINTEND(readability-identifier-naming)
