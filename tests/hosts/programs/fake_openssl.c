/* What looks like OpenSSL and is none that hsmtls can use: FAKE_OLD is 1.1.1, FAKE_BORINGSSL is
 * BoringSSL, FAKE_HIDDEN shows libssl's functions and hides libcrypto's. */
#define SHOWN __attribute__((visibility("default")))

SHOWN void* SSL_CTX_new(const void* method);
void* SSL_CTX_new(const void* method) {
  (void)method;
  return 0;
}

#ifdef FAKE_HIDDEN
#define VISIBLE __attribute__((visibility("hidden")))
#else
#define VISIBLE SHOWN
#endif

VISIBLE unsigned long OpenSSL_version_num(void);
unsigned long OpenSSL_version_num(void) {
  return 0x1010117fL;
}

VISIBLE const char* OpenSSL_version(int what);
const char* OpenSSL_version(int what) {
  (void)what;
#ifdef FAKE_BORINGSSL
  return "BoringSSL";
#else
  return "OpenSSL 1.1.1w  11 Sep 2023";
#endif
}
