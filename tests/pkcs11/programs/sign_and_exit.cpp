// sign_and_exit MODULE PIN WORD...: signs in four threads and leaves while they do.
//
//   return, exit, exit-in-thread   how it leaves
//   libcrypto-first, -last         loads libcrypto.so.3 before or after the module
//   atexit-first, -last            finalises in an exit handler registered before or after the
//   module's static-destructor              closes a session and finalises in a destructor of the
//   program dlclose                        closes the module before it leaves hang leaves when a
//   C_Sign of the chaos module hangs
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pkcs11.h>

namespace {

constexpr int threads = 4;

CK_FUNCTION_LIST* p11 = nullptr;
CK_SESSION_HANDLE main_session = 0;
std::atomic<int> signing{0};

// What a program may be told when it cleans up after everybody else.
void harmless(const char* what, CK_RV rv) {
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED || rv == CKR_SESSION_HANDLE_INVALID)
    return;
  std::fprintf(stderr, "%s at exit: 0x%lx\n", what, static_cast<unsigned long>(rv));
  _exit(3);
}

void check(const char* what, CK_RV rv) {
  if (rv == CKR_OK) return;
  std::fprintf(stderr, "%s: 0x%lx\n", what, static_cast<unsigned long>(rv));
  _exit(4);
}

void clean_up() {
  if (p11 == nullptr) return;
  harmless("C_CloseSession", p11->C_CloseSession(main_session));
  harmless("C_Finalize", p11->C_Finalize(nullptr));
}

bool cleans_up_in_destructor = false;
struct cleaner {
  ~cleaner() {
    if (cleans_up_in_destructor) clean_up();
  }
} at_the_end;

CK_SESSION_HANDLE open_session() {
  CK_SLOT_ID slots[16];
  CK_ULONG count = 16;
  check("C_GetSlotList", p11->C_GetSlotList(CK_TRUE, slots, &count));
  CK_SESSION_HANDLE session = 0;
  check("C_OpenSession",
        p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, nullptr, nullptr, &session));
  return session;
}

CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  CK_BYTE id[] = {1};
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &private_key, sizeof private_key}, {CKA_ID, id, sizeof id}};
  check("C_FindObjectsInit", p11->C_FindObjectsInit(session, pattern, 2));
  CK_OBJECT_HANDLE key = 0;
  CK_ULONG found = 0;
  check("C_FindObjects", p11->C_FindObjects(session, &key, 1, &found));
  check("C_FindObjectsFinal", p11->C_FindObjectsFinal(session));
  return key;
}

void sign_for_ever(CK_OBJECT_HANDLE key) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = 16;
  CK_SESSION_HANDLE session = 0;
  // No check: the process may be on its way out already.
  p11->C_GetSlotList(CK_TRUE, slots, &count);
  p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, nullptr, nullptr, &session);
  CK_BYTE data[32] = {};
  for (bool first = true;;) {
    CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
    CK_BYTE signature[256];
    CK_ULONG length = sizeof signature;
    CK_RV rv = p11->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK) rv = p11->C_Sign(session, data, sizeof data, signature, &length);
    if (rv == CKR_OK && std::exchange(first, false)) ++signing;
    // The process exits: nothing is signed any more, but the thread is still there.
    if (rv != CKR_OK) pause();
  }
}

unsigned long count_of_signatures() {
  void* chaos = dlopen(std::getenv("HSMTLS_MODULE"), RTLD_NOW | RTLD_NOLOAD);
  const auto count =
      reinterpret_cast<std::uint64_t (*)(const char*)>(dlsym(chaos, "hsmtls_chaos_count"));
  return count("C_Sign");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::vector<std::string> words(argv + 3, argv + argc);
  const auto asked = [&](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };

  if (asked("atexit-first")) std::atexit(clean_up);
  if (asked("libcrypto-first")) dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
  void* module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(module, "C_GetFunctionList"));
  check("C_GetFunctionList", get_list(&p11));
  check("C_Initialize", p11->C_Initialize(nullptr));
  if (asked("libcrypto-last")) dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
  if (asked("atexit-last")) std::atexit(clean_up);
  cleans_up_in_destructor = asked("static-destructor");

  main_session = open_session();
  check("C_Login",
        p11->C_Login(
            main_session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(argv[2]), std::strlen(argv[2])));
  const CK_OBJECT_HANDLE key = find_key(main_session);
  for (int i = 0; i < threads; ++i) std::thread(sign_for_ever, key).detach();
  if (asked("hang")) {
    while (count_of_signatures() == 0) std::this_thread::yield();
  } else {
    while (signing < threads) std::this_thread::yield();
  }

  if (asked("dlclose")) dlclose(module);
  if (asked("exit-in-thread")) {
    std::thread([] { std::exit(0); }).detach();
    for (;;) pause();
  }
  if (asked("exit")) std::exit(0);
  return 0;
}
