// What ten thousand identities leave behind: nothing.
#include <malloc.h>

#include <filesystem>

#include "tests/keys/fixture.hpp"
#include "tests/support/soak_size.hpp"

namespace hsmtls::test {
namespace {

size_t open_files() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

class ManyIdentities : public keys_in_softhsm {
 protected:
  // Opens, hands over in both kinds, signs now and then, and closes.
  void one_life(bool sign) {
    const open_identity identity = opened(source_of("pkcs11:token=edge;object=p256"));
    const evp_key key = handed_key(identity.get());
    const evp_key hybrid = handed_key(identity.get(), HSMTLS_KEY_HYBRID);
    if (!sign) return;
    ASSERT_TRUE(signs(key.get()));
  }
};

TEST_F(ManyIdentities, LeaveNoMemoryFileOrSessionBehind) {
  hsmtls_identity* const kept = open_key("p256");
  const auto sessions = [&] {
    hsmtls_identity_counters counters{};
    counters.struct_size = sizeof counters;
    EXPECT_EQ(
        asked(hsmtls_identity_get_counters, static_cast<const hsmtls_identity*>(kept), &counters),
        HSMTLS_OK);
    return counters.open_sessions;
  };
  for (int i = 0; i < 100; ++i) one_life(true);
  const size_t files = open_files();
  const uint32_t open_sessions = sessions();
  const size_t memory = mallinfo2().uordblks;
  const int lives = 10000 / soak_divisor;
  for (int i = 0; i < lives; ++i) one_life(i % 100 == 0);
  EXPECT_EQ(files, open_files());
  EXPECT_EQ(open_sessions, sessions());
  if (soak_divisor != 1) return;  // a sanitizer's allocator counts by itself, and looks for leaks
  // Memory in use, by the allocator's own count. One leaked byte in each life would be seen.
  const auto grown = static_cast<int64_t>(mallinfo2().uordblks) - static_cast<int64_t>(memory);
  EXPECT_LT(grown, lives) << "bytes for " << lives << " identities";
  std::cout << "| " << lives << " identities: " << grown << " bytes more in use\n";
}

}  // namespace
}  // namespace hsmtls::test
