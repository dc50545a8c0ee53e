// add_and_exit FRONT MODULE URI PIN [hang]: adds MODULE to the private face of FRONT after many
// others have used it up to here, signs in four threads and leaves while they do; with hang, when a
// C_Sign of the chaos module hangs.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace {

constexpr int threads = 4;
// More than any number of exit handlers that may be kept.
constexpr int uses_before = 40;

std::atomic<int> signing{0};

void must(int32_t code, const hsmtls_p11_error& error) {
  if (code == HSMTLS_P11_OK) return;
  std::fprintf(stderr, "%s\n", error.message);
  _exit(4);
}

void sign_for_ever(const hsmtls_p11_functions* face, hsmtls_p11_key* key) {
  const hsmtls_p11_signature_spec ecdsa{HSMTLS_P11_SIGN_ECDSA, 0, 0};
  const uint8_t data[32] = {};
  for (bool first = true;; first = false) {
    uint8_t signature[256];
    uint32_t length = sizeof signature;
    hsmtls_p11_error error{};
    const int32_t code =
        face->key_sign(key, &ecdsa, data, sizeof data, signature, &length, 0, &error);
    if (code == HSMTLS_P11_OK && first) ++signing;
    // The process exits: nothing is signed any more, but the thread is still there.
    if (code != HSMTLS_P11_OK) pause();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  void* front = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (front == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const auto functions =
      reinterpret_cast<decltype(&hsmtls_pkcs11_functions)>(dlsym(front, "hsmtls_pkcs11_functions"));
  const hsmtls_p11_functions* face = functions();
  hsmtls_p11_error error{};
  const auto ignore = [](void*, const hsmtls_p11_token_info*) {};
  for (int i = 0; i < uses_before; ++i) must(face->list_tokens(ignore, nullptr, &error), error);

  must(face->module_add(argv[2], &error), error);
  hsmtls_p11_login login{};
  login.struct_size = sizeof login;
  login.pin = reinterpret_cast<const uint8_t*>(argv[4]);
  login.pin_len = static_cast<uint32_t>(std::strlen(argv[4]));
  login.module = argv[2];
  static hsmtls_p11_key* key = nullptr;  // left behind, but not lost
  must(face->key_open(argv[3], &login, 0, &key, &error), error);
  for (int i = 0; i < threads; ++i) std::thread(sign_for_ever, face, key).detach();
  if (argc > 5 && std::string(argv[5]) == "hang") {
    void* chaos = dlopen(argv[2], RTLD_NOW | RTLD_NOLOAD);
    const auto count =
        reinterpret_cast<std::uint64_t (*)(const char*)>(dlsym(chaos, "hsmtls_chaos_count"));
    while (count("C_Sign") == 0) std::this_thread::yield();
  } else {
    while (signing < threads) std::this_thread::yield();
  }
  return 0;
}
