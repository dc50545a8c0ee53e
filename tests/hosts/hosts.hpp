// What the tests of hosts share: a device's token, and host programs that say which OpenSSL is theirs.
#pragma once

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/device.hpp"
#include "tests/support/processes.hpp"

// A sanitizer's run-time library does not come second into a program, and refuses RTLD_DEEPBIND.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_IN_FOREIGN_PROGRAMS() \
  GTEST_SKIP() << "a sanitizer's runtime does not come second, and refuses RTLD_DEEPBIND"
#else
#define SKIP_IN_FOREIGN_PROGRAMS() static_assert(true)
#endif

namespace hsmtls::test {

// Another copy of libcrypto and libssl, by `how` ("global", "local", "deep"), as host programs load it: the
// first so that the second finds it.
inline std::vector<std::string> other_openssl(const std::string& how) {
  return {how + ":" HSMTLS_TEST_OTHER_OPENSSL "/libcrypto.oo.3",
          how + ":" HSMTLS_TEST_OTHER_OPENSSL "/libssl.oo.3"};
}

class Hosts : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    made.emplace();
  }
  [[nodiscard]] std::string folder() const { return made->token().folder(); }

  // `run` runs a host with the token in its environment; `more` are further arguments.
  [[nodiscard]] ending run(std::vector<std::string> command,
                           const std::vector<std::string>& more = {},
                           const std::map<std::string, std::string>& changes = {}) const {
    command.insert(command.end(), more.begin(), more.end());
    std::map<std::string, std::string> environment = made->environment();
    environment.insert(changes.begin(), changes.end());
    return run_program(command, environment, std::chrono::seconds(60));
  }

  // What stands behind `word` in a line of its own; empty: no such line.
  static std::string said(const ending& host, const std::string& word) {
    const size_t at = host.output.find(word + ": ");
    if (at == std::string::npos) return {};
    const size_t begin = at + word.size() + 2;
    return host.output.substr(begin, host.output.find('\n', begin) - begin);
  }

  // The host worked, and hsmtls uses the OpenSSL that is the host's own.
  static void expect_own(const ending& host) {
    EXPECT_TRUE(host.fine()) << host;
    ASSERT_NE("", said(host, "own")) << host;
    EXPECT_THAT(said(host, "where"), testing::HasSubstr(said(host, "own"))) << host;
  }

  std::optional<device> made;
};

}  // namespace hsmtls::test
