// A thousand resets under eight threads over SoftHSM, with real ECDSA; a token folder that comes
// and goes.
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tests/pkcs11/soak.hpp"

namespace hsmtls::test {
namespace {

// `verifies` tells whether `signature` (r and s, PKCS#11 v3.1 section 6.3.1) is that of P-256 key
// `point` (CKA_EC_POINT) over `digest`.
bool verifies(const bytes& point, const bytes& digest, const bytes& signature) {
  // SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point itself.
  bytes info{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
             0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
  if (point.size() != 67 || signature.size() != 64) return false;
  info.insert(
      info.end(), point.begin() + 2, point.end());  // without the OCTET STRING's tag and length
  const uint8_t* at = info.data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())), EVP_PKEY_free);
  if (key == nullptr) return false;
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(ECDSA_SIG_new(), ECDSA_SIG_free);
  ECDSA_SIG_set0(both.get(),
                 BN_bin2bn(signature.data(), 32, nullptr),
                 BN_bin2bn(signature.data() + 32, 32, nullptr));
  uint8_t* der = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &der);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
  const bool good =
      EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_verify(
          context.get(), der, static_cast<size_t>(length), digest.data(), digest.size()) == 1;
  OPENSSL_free(der);
  return good;
}

class SoftHsmSoak : public over_softhsm {
 protected:
  static constexpr int threads = 8;

  explicit SoftHsmSoak(std::chrono::milliseconds deadline = std::chrono::seconds(30))
      : over_softhsm(deadline), app(front), session(app.open(app.slot("edge"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, {0x01});
    const auto public_key = app.find(session, CKO_PUBLIC_KEY, {0x01});
    point = app.attribute(session, public_key.at(0), CKA_EC_POINT);
    for (auto& one : sessions) one = app.open(app.slot("edge"));
  }

  struct sample {
    bytes digest, signature;
  };

  const bytes digest = bytes(32, 0x5a);
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
  bytes point;
  CK_SESSION_HANDLE sessions[threads]{};
};

TEST_F(SoftHsmSoak, NoSignatureFailsInAThousandResetsUnderEightThreads) {
  constexpr uint64_t one_in = 16;  // signatures that are kept and verified
  std::vector<sample> kept[threads];
  uint64_t made[threads]{};
  // Other tokens are reset from outside; here a thread of this very process closes the sessions.
  trouble.run("quiet-drops on");
  signers workers(threads, [&](int t) {
    bytes signature;
    bytes data = digest;
    data[0] = static_cast<uint8_t>(t);
    data[1] = static_cast<uint8_t>(made[t]);
    const CK_RV rv = app.sign(sessions[t], key, data, &signature);
    if (rv == CKR_OK && made[t]++ % one_in == 0) kept[t].push_back({data, signature});
    return rv;
  });
  reset_many_times(trouble,
                   log,
                   workers,
                   1000 / soak_divisor,
                   "SoftHSM, 8 threads, new session and login",
                   [&](int number) { reset_somewhere(trouble, number); });
  size_t verified = 0;
  for (const auto& by_thread : kept) {
    for (const sample& one : by_thread) {
      ASSERT_TRUE(verifies(point, one.digest, one.signature));
      ++verified;
    }
  }
  EXPECT_LE(static_cast<size_t>(threads), verified);
}

class SoftHsmSoakPulledOut : public SoftHsmSoak {
 protected:
  SoftHsmSoakPulledOut() : SoftHsmSoak(std::chrono::milliseconds(200)) {}
};

TEST_F(SoftHsmSoakPulledOut, FourThreadsGoOnEachTimeTheTokenIsBack) {
  constexpr int times = 50 / soak_divisor;
  std::atomic<int> away_errors = 0;
  std::atomic<int> other_errors = 0;
  std::atomic<CK_RV> other{CKR_OK};
  std::atomic<uint64_t> turn = 0;  // odd: it is away
  signers workers(4, [&](int t) {
    const uint64_t before = turn;
    const CK_RV rv = app.sign(sessions[t], key, digest);
    if (rv == CKR_OK) return rv;
    // A call that began or ended with the token away, or that saw it go.
    const bool was_away = before % 2 == 1 || turn != before;
    if (was_away && rv == CKR_DEVICE_REMOVED) {
      ++away_errors;
    } else {
      ++other_errors;
      other = rv;
    }
    return rv;
  });
  for (int i = 0; i < times; ++i) {
    workers.wait_for_each();
    const int seen = away_errors;
    ++turn;
    token.move_away();
    while (away_errors == seen && other_errors == 0) std::this_thread::yield();
    token.move_back();
    ++turn;
  }
  workers.wait_for_each();
  workers.finish();
  EXPECT_EQ(0, other_errors) << pkcs11::rv_name(other);
  const auto recovered = recovery_times(log.text());
  ASSERT_LE(static_cast<size_t>(times), recovered.size());
  std::printf(
      "| SoftHSM, 4 threads, token folder away and back | %d times | %llu signatures | %d told "
      "CKR_DEVICE_REMOVED, %d other |\n",
      times,
      static_cast<unsigned long long>(workers.done()),
      away_errors.load(),
      other_errors.load());
}

}  // namespace
}  // namespace hsmtls::test
