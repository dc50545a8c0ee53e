// hsmtls_same_openssl and hsmtls_openssl_bind_ssl_ctx: whose an SSL_CTX is, told without calling anything
// with it.
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <filesystem>

#include "tests/support/processes.hpp"
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

answer bind_to_maker_of(const void* pointer) {
  return called([&](hsmtls_error** error) {
    return hsmtls_openssl_bind_ssl_ctx(static_cast<const SSL_CTX*>(pointer), error);
  });
}

answer same(const void* pointer) {
  return called([&](hsmtls_error** error) {
    return hsmtls_same_openssl(static_cast<const SSL_CTX*>(pointer), error);
  });
}

std::string file_of(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? info.dli_fname : "";
}

class SameOpenSsl : public testing::Test {
 protected:
  SameOpenSsl() {
    EXPECT_THAT(called([](hsmtls_error** error) {
                  return hsmtls_openssl_bind(TLS_method(), EVP_sha256(), error);
                }),
                Says("OK", ""));
  }
};

TEST_F(SameOpenSsl, AcceptsContextsOfEveryMethod) {
  for (const SSL_METHOD* method : {TLS_method(),
                                   TLS_client_method(),
                                   TLS_server_method(),
                                   DTLS_method(),
                                   DTLS_client_method(),
                                   DTLS_server_method()}) {
    const ssl_ctx made(SSL_CTX_new(method));
    EXPECT_THAT(same(made.get()), Says("OK", ""));
  }
}

TEST_F(SameOpenSsl, AnswersNullAndNonsenseWithAnError) {
  EXPECT_THAT(same(nullptr), Says("BAD_ARGUMENT", "must not be null"));
  for (const uintptr_t address : {uintptr_t{8}, uintptr_t{1} << 46U, ~uintptr_t{0} - 7}) {
    EXPECT_THAT(same(reinterpret_cast<const void*>(address)),
                Says("BAD_ARGUMENT", "nothing in memory"));
  }
  const std::array<uint64_t, 8> words{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THAT(same(words.data()), Says("OPENSSL_FOREIGN", "not made by any library"));
  EXPECT_THAT(same(reinterpret_cast<const char*>(words.data()) + 1),
              Says("BAD_ARGUMENT", "nothing in memory"));
}

TEST_F(SameOpenSsl, NamesBothFilesOfAnotherCopysContext) {
  const std::string ours = file_of(TLS_method());
  std::string folder = HSMTLS_TEST_SCRATCH "/copy-XXXXXX";
  ASSERT_NE(nullptr, mkdtemp(folder.data()));
  const std::string copy = folder + "/libssl.so.3";
  std::filesystem::copy_file(ours, copy);
  void* const library = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::filesystem::remove_all(folder);
  ASSERT_NE(nullptr, library) << dlerror();
  const auto method = reinterpret_cast<decltype(&TLS_method)>(dlsym(library, "TLS_method"));
  const auto make = reinterpret_cast<decltype(&SSL_CTX_new)>(dlsym(library, "SSL_CTX_new"));
  const auto free = reinterpret_cast<decltype(&SSL_CTX_free)>(dlsym(library, "SSL_CTX_free"));
  SSL_CTX* const foreign = make(method());
  ASSERT_NE(nullptr, foreign);
  const answer refused = same(foreign);
  EXPECT_THAT(refused, Says("OPENSSL_FOREIGN", copy));
  EXPECT_THAT(refused.message, HasSubstr(ours));
  EXPECT_THAT(bind_to_maker_of(foreign), Says("OPENSSL_FOREIGN", copy));
  EXPECT_THAT(
      called([&](hsmtls_error** error) { return hsmtls_ssl_ctx_reload_trust(foreign, error); }),
      Says("OPENSSL_FOREIGN", copy));
  free(foreign);
}

TEST(BindSslCtx, MeansTheCopyThatMadeTheContext) {
  const ssl_ctx made(SSL_CTX_new(TLS_method()));
  EXPECT_THAT(bind_to_maker_of(made.get()), Says("OK", ""));
  EXPECT_THAT(hsmtls_openssl_where(), HasSubstr(file_of(TLS_method())));
  EXPECT_THAT(same(made.get()), Says("OK", ""));
}

TEST(BindSslCtx, BindsNothingWhereNoLibraryMadeTheContext) {
  const std::array<uint64_t, 8> words{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THAT(bind_to_maker_of(words.data()), Says("OPENSSL_FOREIGN", "not made by any library"));
  EXPECT_THAT(bind_to_maker_of(reinterpret_cast<const void*>(uintptr_t{8})),
              Says("BAD_ARGUMENT", "nothing in memory"));
  EXPECT_STREQ("", hsmtls_openssl_where());
}

// As where an OpenSSL is linked into an interpreter, its functions hidden.
TEST(BindSslCtx, SaysThatTheMakerHidesItsFunctions) {
  static const int method = 0;
  const std::array<const void*, 8> words{nullptr, &method};
  EXPECT_THAT(bind_to_maker_of(words.data()), Says("OPENSSL_UNUSABLE", "the main program"));
  EXPECT_STREQ("", hsmtls_openssl_where());
}

// What a container's sandbox may do.
void forbid_process_vm_readv() {
  std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  ASSERT_EQ(0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

TEST_F(SameOpenSsl, AnswersTheSameInASandbox) {
  const ssl_ctx made(SSL_CTX_new(TLS_method()));
  child sandboxed([&] {
    return expectations([&] {
      forbid_process_vm_readv();
      EXPECT_THAT(same(made.get()), Says("OK", ""));
      EXPECT_THAT(same(reinterpret_cast<const void*>(uintptr_t{8})),
                  Says("BAD_ARGUMENT", "nothing in memory"));
    });
  });
  EXPECT_TRUE(sandboxed.wait().fine());
}

}  // namespace
}  // namespace hsmtls::test
