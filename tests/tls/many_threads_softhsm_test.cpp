// One context, one key, many threads.
#include <atomic>
#include <thread>

#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

class ManyThreads : public over_softhsm {};

TEST_F(ManyThreads, ConnectWithOneContextWhileItsTrustIsReloaded) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = context_of(device.get(), as_client());
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  constexpr int each = 25;
  std::atomic<int> running{4};
  std::atomic<int> resumed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < each; ++n) {
        connection both(client.get(), server.get());
        if (i % 2 == 0) (void)hsmtls_ssl_resume(both.client(), nullptr);
        both.run();
        EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
        EXPECT_EQ("device", both.client_seen_as());
        resumed += both.resumed() ? 1 : 0;
      }
      --running;
    });
  }
  while (running > 0) EXPECT_EQ(HSMTLS_OK, hsmtls_ssl_ctx_reload_trust(client.get(), nullptr));
  for (std::thread& one : threads) one.join();
  EXPECT_LT(0, resumed);
}

TEST_F(ManyThreads, AreToldWhenTheIdentityIsClosedUnderThem) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = context_of(device.get(), as_client());
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  std::atomic<int> connected{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        connection both(client.get(), server.get());
        (void)hsmtls_ssl_resume(both.client(), nullptr);
        both.run();
        if (both.fine()) {
          ++connected;
          continue;
        }
        EXPECT_THAT(both.client_says(), Says("IDENTITY_CLOSED", "was closed"));
        return;
      }
    });
  }
  while (connected < 8) std::this_thread::yield();
  hsmtls_identity_close(device.get());
  for (std::thread& one : threads) one.join();
}

}  // namespace
}  // namespace hsmtls::test
