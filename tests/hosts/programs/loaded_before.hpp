// Libraries that a host loads before it uses hsmtls, as its arguments say: "global:FILE", "local:FILE",
// or "deep:FILE", which calls its own functions where the program has some of the same names.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace hsmtls::test {

// Returns the file.
inline std::string load_before(const std::string& what) {
  const std::string how = what.substr(0, what.find(':'));
  const std::string file = what.substr(what.find(':') + 1);
  const int flags = how == "global" ? RTLD_GLOBAL : how == "deep" ? RTLD_DEEPBIND : RTLD_LOCAL;
  if (dlopen(file.c_str(), RTLD_NOW | flags) == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(2);
  }
  return file;
}

}  // namespace hsmtls::test
