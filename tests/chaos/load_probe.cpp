// hsmtls_chaos_load_probe MODULE: exits with what the module's C_GetFunctionList returns; 3 if this
// process, run set-uid, has no raised privileges; 2 if the module does not load.
#include <dlfcn.h>
#include <pkcs11.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (getuid() != 0 && getauxval(AT_SECURE) == 0) return 3;
  void* module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(module, "C_GetFunctionList"));
  CK_FUNCTION_LIST* list = nullptr;
  return get_list == nullptr ? 2 : static_cast<int>(get_list(&list));
}
