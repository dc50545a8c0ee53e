// Libraries that a host loads before it uses hsmtls, as its arguments say: "global:FILE", "local:FILE".
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace hsmtls::test {

inline void load_before(const std::string& what) {
  const bool global = what.rfind("global:", 0) == 0;
  const std::string file = what.substr(what.find(':') + 1);
  if (dlopen(file.c_str(), RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL)) == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(2);
  }
}

}  // namespace hsmtls::test
