// A parent that opened a key and four children that sign with it through resets.
#include <memory>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

constexpr int prefork_workers = 4;

class PrivatePrefork : public private_over_stub {
 protected:
  PrivatePrefork() { secrets() = {"wrong-zebra-pin"}; }

  template <class Work>
  void four_workers(Work work) {
    std::vector<std::unique_ptr<child>> workers;
    for (int i = 0; i < prefork_workers; ++i) {
      workers.push_back(std::make_unique<child>([work] { return expectations([&] { work(); }); }));
    }
    expect_right_signature(key);
    for (const auto& one : workers) {
      const ending ended = one->wait();
      EXPECT_TRUE(ended.fine()) << ended;
    }
  }

  private_key key;
};

TEST_F(PrivatePrefork, FourWorkersSignThroughDroppedSessionsAndTheParentGoesOn) {
  key = open_device();
  four_workers([&] {
    const auto logins = trouble.count("C_Login");
    for (int i = 0; i < 5; ++i) {
      expect_right_signature(key);
      trouble.run(i % 2 == 0 ? "drop-sessions" : "drop-sessions-at C_Sign 1");
    }
    expect_right_signature(key);
    EXPECT_EQ(logins + 6, trouble.count("C_Login")) << "one for itself, one for each reset";
    EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
    key.release();
  });
  EXPECT_EQ(0U, key.counters().lost) << "what the children lost is not the parent's";
  trouble.run("drop-sessions");
  expect_right_signature(key);
  EXPECT_EQ(2U, trouble.count("C_Login"));
}

TEST_F(PrivatePrefork, FourWorkersSignAgainAfterTheTokenWasAwayAndTheParentGoesOn) {
  key = open_device();
  four_workers([&] {
    expect_right_signature(key);
    for (const char* back : {"return-token", "return-token needs-reinit"}) {
      trouble.run("remove-token");
      EXPECT_EQ(key.sign(bytes(32, 1), nullptr, ecdsa, 100), HSMTLS_P11_TOKEN_LOST);
      trouble.run(back);
      expect_right_signature(key);
    }
    key.release();
  });
  EXPECT_EQ(0U, key.counters().lost) << "what the children lost is not the parent's";
  trouble.run("remove-token");
  EXPECT_EQ(key.sign(bytes(32, 1), nullptr, ecdsa, 100), HSMTLS_P11_TOKEN_LOST);
  trouble.run("return-token");
  expect_right_signature(key);
}

TEST_F(PrivatePrefork, AWrongPinOfTheParentIsSentByNoneOfFourWorkers) {
  const std::string wrong = "wrong-zebra-pin";
  EXPECT_EQ(face.try_open(device, with_pin(wrong)), HSMTLS_P11_PIN_INCORRECT);
  key = open_device();
  four_workers([&] {
    EXPECT_EQ(face.try_open(device, with_pin(wrong)), HSMTLS_P11_PIN_INCORRECT);
    trouble.run("drop-sessions");
    expect_right_signature(key);
    EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT")) << "the parent's is the only one";
    key.release();
  });
  EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

// The PIN was changed behind everybody's back: four workers and their parent find that out with one
// attempt among them.
TEST_F(PrivatePrefork, APinThatTheTokenRefusesAfterAResetIsSentOnceAmongAllProcesses) {
  const scratch_file file("1234");
  login_options how;
  how.source = file.source();
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  expect_right_signature(key);
  file.write("wrong-zebra-pin");
  trouble.run("drop-sessions");
  const answer first = key.sign(bytes(32, 1));
  EXPECT_TRUE(first == HSMTLS_P11_PIN_INCORRECT || first == HSMTLS_P11_NOT_LOGGED_IN) << first;
  EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  std::vector<std::unique_ptr<child>> workers;
  for (int i = 0; i < prefork_workers; ++i) {
    workers.push_back(std::make_unique<child>([&] {
      return expectations([&] {
        const answer got = key.sign(bytes(32, 1));
        EXPECT_FALSE(got == HSMTLS_P11_OK) << got;
        EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT")) << "sent once more";
        file.write("1234");
        expect_right_signature(key);
        key.release();
      });
    }));
    const ending ended = workers.back()->wait();
    EXPECT_TRUE(ended.fine()) << ended;
    file.write("wrong-zebra-pin");
  }
  file.write("1234");
  expect_right_signature(key);
}

}  // namespace
}  // namespace hsmtls::test
