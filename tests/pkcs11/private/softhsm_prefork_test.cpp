// Prefork over SoftHSM: one real token, pulled out under five processes that
// sign.
#include <sys/mman.h>

#include <atomic>
#include <memory>
#include <new>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

constexpr int prefork_workers = 4;

// What parent and children tell each other; one page that they share.
class scoreboard {
 public:
  scoreboard() {
    void* page =
        mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::bad_alloc();
    shared_ = new (page) shared;
  }
  ~scoreboard() { munmap(shared_, sizeof(shared)); }
  scoreboard(const scoreboard&) = delete;
  scoreboard& operator=(const scoreboard&) = delete;

  void signed_by(int worker) { ++shared_->signatures[worker]; }
  [[nodiscard]] int signatures_of(int worker) const { return shared_->signatures[worker]; }
  // Until every worker signed `more` times more.
  [[nodiscard]] testing::AssertionResult wait_for_each(int more) const {
    int before[prefork_workers];
    for (int i = 0; i < prefork_workers; ++i) before[i] = shared_->signatures[i];
    return eventually([&] {
      for (int i = 0; i < prefork_workers; ++i) {
        if (shared_->signatures[i] < before[i] + more) return false;
      }
      return true;
    });
  }
  void end() { shared_->ended = true; }
  [[nodiscard]] bool ended() const { return shared_->ended; }

 private:
  struct shared {
    std::atomic<int> signatures[prefork_workers] = {};
    std::atomic<bool> ended = false;
  };
  shared* shared_;
};

class PrivatePreforkOverSoftHsm : public over_softhsm {};

TEST_F(PrivatePreforkOverSoftHsm, FourWorkersSignAgainWhenTheTokenIsBackAndTheParentGoesOn) {
  const private_face face(front);
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=edge;object=device", key, with_pin("1234")), HSMTLS_P11_OK);
  ASSERT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
  scoreboard board;
  std::vector<std::unique_ptr<child>> workers;
  for (int i = 0; i < prefork_workers; ++i) {
    workers.push_back(std::make_unique<child>([&, i] {
      return expectations([&] {
        for (int n = 0; !board.ended(); ++n) {
          const answer got = key.sign(bytes(32, 1), nullptr, ecdsa, 30'000);
          ASSERT_EQ(got, HSMTLS_P11_OK);
          board.signed_by(i);
          if (n % 50 == 49) trouble.run("drop-sessions");
        }
        EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
        key.release();
      });
    }));
  }
  EXPECT_TRUE(board.wait_for_each(60)) << "before it was pulled out";
  for (int i = 0; i < 2; ++i) {
    token.move_away();
    EXPECT_EQ(key.sign(bytes(32, 1), nullptr, ecdsa, 500), HSMTLS_P11_TOKEN_LOST);
    token.move_back();
    EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
    EXPECT_TRUE(board.wait_for_each(60)) << "after it was put back";
  }
  board.end();
  for (const auto& one : workers) {
    const ending ended = one->wait();
    EXPECT_TRUE(ended.fine()) << ended;
  }
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

}  // namespace
}  // namespace hsmtls::test
