// method_key_and_exit FRONT LEGACY URI PIN: signs with a method key in four threads and leaves while
// they do, with nothing released.
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/legacy/hsmtls_legacy.h"

namespace {

constexpr int threads = 4;
std::atomic<int> signing{0};

void sign_for_ever(EVP_PKEY* key) {
  for (bool first = true;; first = false) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    unsigned char signature[512];
    size_t length = sizeof signature;
    const unsigned char message[] = "message";
    const bool good = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
                      EVP_DigestSign(context, signature, &length, message, sizeof message) == 1;
    if (good && first) ++signing;
    // The process exits: nothing is signed any more, but the thread is still there.
    if (!good) pause();
    EVP_MD_CTX_free(context);
  }
}

void must(int32_t code, const hsmtls_p11_error& error) {
  if (code == HSMTLS_P11_OK) return;
  std::fprintf(stderr, "%s\n", error.message);
  _exit(4);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  // Threads that are inside of libcrypto while it cleans up at exit crash with any key.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
  void* front = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  void* legacy = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (front == nullptr || legacy == nullptr) return 2;
  const auto* face = reinterpret_cast<decltype(&hsmtls_pkcs11_functions)>(
      dlsym(front, "hsmtls_pkcs11_functions"))();
  const auto* methods =
      reinterpret_cast<decltype(&hsmtls_legacy_table)>(dlsym(legacy, "hsmtls_legacy_table"))();
  hsmtls_p11_error error{};
  hsmtls_p11_login login{};
  login.struct_size = sizeof login;
  login.pin = reinterpret_cast<const uint8_t*>(argv[4]);
  login.pin_len = static_cast<uint32_t>(std::strlen(argv[4]));
  static hsmtls_p11_key* key = nullptr;  // left behind, but not lost
  must(face->key_open(argv[3], &login, 0, &key, &error), error);
  void* made = nullptr;
  static hsmtls_legacy_key* kept = nullptr;
  must(methods->method_key(key, face, EVP_sha256(), &made, &kept, &error), error);
  for (int i = 0; i < threads; ++i)
    std::thread(sign_for_ever, static_cast<EVP_PKEY*>(made)).detach();
  while (signing < threads) std::this_thread::yield();
  return 0;
}
