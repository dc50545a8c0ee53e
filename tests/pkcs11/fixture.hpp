// The module under test, with the chaos module between it and a vendor.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "tests/pkcs11/client.hpp"
#include "tests/support/chaos.hpp"
#include "tests/support/module.hpp"
#include "tests/support/softhsm.hpp"
#include "tests/support/stub_vendor/stub_signature.hpp"

namespace hsmtls::test {

// `log_file` is where the module under test writes its log in this test; removed with the object.
class log_file {
 public:
  log_file() {
    std::string name = std::string(HSMTLS_TEST_SCRATCH) + "/log.XXXXXX";
    const int made = mkstemp(name.data());
    if (made >= 0) close(made);
    path_ = name;
    setenv("HSMTLS_LOG", path_.c_str(), 1);
  }
  ~log_file() { std::filesystem::remove(path_); }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }
  // How many lines report `event`.
  [[nodiscard]] size_t count(const std::string& event) const {
    std::istringstream lines(text());
    size_t found = 0;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string time, level, name;
      words >> time >> level >> name;
      found += name == event ? 1 : 0;
    }
    return found;
  }

 private:
  std::string path_;
};

// The module's own deadline, when HSMTLS_DEADLINE_MS is not set.
inline constexpr std::chrono::milliseconds default_deadline{0};

// Sets the environment that the module reads when it is loaded, and loads it.
inline module_under_test load_front(const std::string& vendors,
                                    std::chrono::milliseconds deadline) {
  setenv("HSMTLS_MODULE", vendors.c_str(), 1);
  if (deadline == default_deadline)
    unsetenv("HSMTLS_DEADLINE_MS");
  else
    setenv("HSMTLS_DEADLINE_MS", std::to_string(deadline.count()).c_str(), 1);
  return module_under_test(HSMTLS_TEST_FRONT);
}

// The stub vendor by another name, for what is known about that module (vendor/quirks.cpp). A base
// of a fixture, before over_stub.
struct named_like {
  named_like(const char* manufacturer, const char* description) {
    setenv("HSMTLS_STUB_MANUFACTURER", manufacturer, 1);
    setenv("HSMTLS_STUB_DESCRIPTION", description, 1);
  }
};
struct named_like_tpm2_pkcs11 : named_like {
  named_like_tpm2_pkcs11() : named_like("tpm2-software.github.io", "TPM2.0 Cryptoki") {}
};

// Application -> hsmtls -> chaos -> stub vendor: fast, deterministic, no crypto.
class over_stub : public testing::Test {
 protected:
  explicit over_stub(std::chrono::milliseconds deadline = std::chrono::seconds(10))
      : front(load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR), deadline)) {}

  // The signature that the key with this CKA_ID of the stub vendor makes.
  static bytes expected_signature(const client& app,
                                  CK_SESSION_HANDLE session,
                                  const bytes& id,
                                  const bytes& data) {
    const auto public_key = app.find(session, CKO_PUBLIC_KEY, id);
    EXPECT_EQ(1U, public_key.size());
    const bytes point = app.attribute(session, public_key.at(0), CKA_EC_POINT);
    return stub::signature(
        stub::key_mark(point.data(), point.size()), CKM_ECDSA, data.data(), data.size());
  }

  log_file log;
  module_under_test front;
  chaos trouble;
};

// Application -> hsmtls -> chaos -> SoftHSM.
class over_softhsm : public testing::Test {
 protected:
  explicit over_softhsm(std::chrono::milliseconds deadline = std::chrono::seconds(10))
      : front(load_front(chaos::in_front_of(softhsm_module()), deadline)) {
    token.generate_ec_p256("device", "01");
  }

  log_file log;
  softhsm_token token;
  module_under_test front;
  chaos trouble;
};

}  // namespace hsmtls::test
