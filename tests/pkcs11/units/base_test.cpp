#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>
#include <string>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/refused_pins.hpp"
#include "core/pkcs11/base/secret.hpp"
#include "core/pkcs11/base/siphash.hpp"
#include "core/pkcs11/vendor/loader.hpp"
#include "core/pkcs11/vendor/quirks.hpp"
#include "tests/support/processes.hpp"

#include <dlfcn.h>

namespace hsmtls::pkcs11 {
namespace {

using bytes = std::vector<uint8_t>;

bytes of(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(SipHash, AgreesWithItsAuthorsVectors) {
  // Appendix A of the paper and vectors.h of the reference implementation: key 00 01 … 0f, input 00
  // 01 ….
  const siphash::key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const std::map<size_t, uint64_t> vectors = {{0, 0x726fdb47dd0e0e31},
                                              {1, 0x74f839c593dc67fd},
                                              {2, 0x0d6c8009d9a94f5a},
                                              {7, 0xab0200f58b01d137},
                                              {8, 0x93f5f5799a932462},
                                              {15, 0xa129ca6149be45e5},
                                              {16, 0x3f2acc7f57c29bdb},
                                              {63, 0x958a324ceb064572}};
  for (const auto& [length, expected] : vectors) {
    bytes input(length);
    std::iota(input.begin(), input.end(), uint8_t{0});
    EXPECT_EQ(expected, siphash(key).update(input).finish()) << length << " bytes";
    const auto middle = input.begin() + static_cast<long>(length / 3);
    EXPECT_EQ(expected,
              siphash(key).update({input.begin(), middle}).update({middle, input.end()}).finish())
        << "in two parts";
  }
}

// The VmFlags of the mapping that holds `address` (proc(5), /proc/pid/smaps).
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t start = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2)
      here = start <= wanted && wanted < end;
    if (here && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

TEST(Secret, IsLockedAndLeftOutOfCoreDumps) {
  const secret pin(of("1234"));
  const std::string flags = flags_of(pin.bytes().data());
  ASSERT_FALSE(flags.empty());
  EXPECT_NE(std::string::npos, flags.find(" dd ")) << "MADV_DONTDUMP: " << flags;
  rlimit lockable{};
  getrlimit(RLIMIT_MEMLOCK, &lockable);
  if (lockable.rlim_cur == 0 && geteuid() != 0) GTEST_SKIP() << "RLIMIT_MEMLOCK is 0";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers turn mlock off";
#endif
  EXPECT_NE(std::string::npos, flags.find(" lo ")) << "mlock: " << flags;
}

TEST(Secret, GoesOnWithoutLockedMemory) {
  test::child forked([] {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_MEMLOCK, &none);
    return test::expectations([] { EXPECT_TRUE(secret(of("1234")).equals(of("1234"))); });
  });
  EXPECT_TRUE(forked.wait().fine());
}

TEST(Secret, EqualsWhatItWasMadeFrom) {
  const secret pin(of("1234"));
  EXPECT_TRUE(pin.equals(of("1234")));
  EXPECT_FALSE(pin.equals(of("1235")));
  EXPECT_FALSE(pin.equals(of("123")));
  EXPECT_FALSE(pin.equals(of("12345")));
  EXPECT_FALSE(pin.equals({}));
}

TEST(Secret, MayBeEmptyOrLong) {
  const secret empty{bytes{}};
  EXPECT_TRUE(empty);
  EXPECT_TRUE(empty.equals({}));
  const bytes long_one(10000, 'x');
  EXPECT_TRUE(secret(long_one).equals(long_one));
}

TEST(Secret, IsNothingAfterAMove) {
  secret pin(of("1234"));
  const secret other = std::move(pin);
  EXPECT_FALSE(pin);  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_FALSE(pin.equals({}));
  EXPECT_TRUE(other.equals(of("1234")));
  secret third(of("x"));
  third = secret(of("5678"));
  EXPECT_TRUE(third.equals(of("5678")));
}

// How many kilobytes of this process are locked in memory.
long locked_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kilobytes = 0;
    if (word == "VmLck:" && status >> kilobytes) return kilobytes;
  }
  return -1;
}

TEST(Secret, IsLockedInAChildToo) {
  const long before = locked_memory();
  const secret first(of("1234"));
  const long one = locked_memory() - before;
  if (one <= 0) GTEST_SKIP() << "RLIMIT_MEMLOCK forbids it";
  // Places are used again.
  for (int i = 0; i < 1000; ++i) const secret passing(of("passing"));
  const secret second(of("5678"));
  ASSERT_EQ(before + 2 * one, locked_memory());
  test::child forked([&] {
    return test::expectations([&] {
      EXPECT_EQ(2 * one, locked_memory()) << "what else was locked is the parent's";
      EXPECT_TRUE(first.equals(of("1234")));
      test::child grandchild(
          [&] { return test::expectations([&] { EXPECT_EQ(2 * one, locked_memory()); }); });
      EXPECT_TRUE(grandchild.wait().fine());
    });
  });
  EXPECT_TRUE(forked.wait().fine());
}

TEST(RefusedPins, AreRememberedByTokenUserAndPin) {
  refused_pins::remember("token", 1, of("0000"));
  EXPECT_TRUE(refused_pins::contains("token", 1, of("0000")));
  EXPECT_FALSE(refused_pins::contains("token", 0, of("0000")));
  EXPECT_FALSE(refused_pins::contains("other", 1, of("0000")));
  EXPECT_FALSE(refused_pins::contains("token", 1, of("0001")));
  EXPECT_FALSE(refused_pins::contains("token", 1, {}));
}

TEST(RefusedPins, AreForgottenForOneToken) {
  refused_pins::remember("one", 1, of("0000"));
  refused_pins::remember("two", 1, of("0000"));
  refused_pins::forget_all_of("one", 1);
  EXPECT_FALSE(refused_pins::contains("one", 1, of("0000")));
  EXPECT_TRUE(refused_pins::contains("two", 1, of("0000")));
}

TEST(RefusedPins, OfTheOfficerStayWhenTheUsersPinIsChanged) {
  refused_pins::remember("one", 0, of("of the officer"));
  refused_pins::remember("one", 1, of("of the user"));
  refused_pins::forget_all_of("one", 1);
  EXPECT_TRUE(refused_pins::contains("one", 0, of("of the officer")));
  EXPECT_FALSE(refused_pins::contains("one", 1, of("of the user")));
}

TEST(RefusedPins, AreSharedByParentAndChildren) {
  refused_pins::remember("token", 1, of("of the parent"));
  test::child forked([] {
    return test::expectations([] {
      EXPECT_TRUE(refused_pins::contains("token", 1, of("of the parent")));
      refused_pins::remember("token", 1, of("of the child"));
    });
  });
  EXPECT_TRUE(forked.wait().fine());
  EXPECT_TRUE(refused_pins::contains("token", 1, of("of the child")));
}

TEST(RefusedPins, KeepTheLatestOfVeryMany) {
  for (int i = 0; i < 1000; ++i) refused_pins::remember("token", 1, of("pin" + std::to_string(i)));
  EXPECT_TRUE(refused_pins::contains("token", 1, of("pin999")));
  EXPECT_TRUE(refused_pins::contains("token", 1, of("pin800")));
}

std::map<std::string, std::string> environment;

configuration read(std::map<std::string, std::string> with) {
  environment = std::move(with);
  return read_configuration([](const char* name) -> const char* {
    const auto at = environment.find(name);
    return at == environment.end() ? nullptr : at->second.c_str();
  });
}

TEST(Configuration, HasDefaults) {
  const configuration none = read({});
  EXPECT_TRUE(none.modules.empty());
  EXPECT_EQ(std::chrono::milliseconds(2000), none.deadline);
  EXPECT_TRUE(none.log_target.empty());
  EXPECT_FALSE(none.insist_on_final_try);
  EXPECT_TRUE(none.problems.empty());
}

TEST(Configuration, NamesSeveralModules) {
  using list = std::vector<std::string>;
  EXPECT_EQ((list{"/a.so", "/b.so"}), read({{"HSMTLS_MODULE", "/a.so:/b.so"}}).modules);
  EXPECT_EQ((list{"/a.so", "/b.so"}), read({{"HSMTLS_MODULE", ":/a.so::/b.so:"}}).modules);
  EXPECT_EQ(list{}, read({{"HSMTLS_MODULE", "::"}}).modules);
  EXPECT_EQ(list{}, read({{"HSMTLS_MODULE", ""}}).modules);
}

TEST(Configuration, TakesADeadlineInWholeMilliseconds) {
  const auto deadline = [](const char* text) { return read({{"HSMTLS_DEADLINE_MS", text}}); };
  EXPECT_EQ(std::chrono::milliseconds(1), deadline("1").deadline);
  EXPECT_EQ(std::chrono::minutes(10), deadline("600000").deadline);
  EXPECT_TRUE(deadline("600000").problems.empty());
  for (const char* bad :
       {"0", "600001", "-1", "1.5", "2s", " 5", "5 ", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(std::chrono::milliseconds(2000), deadline(bad).deadline) << bad;
    EXPECT_NE(std::string::npos,
              deadline(bad).problems.at(0).find("HSMTLS_DEADLINE_MS is '" + std::string(bad) + "'"))
        << bad;
  }
}

TEST(Configuration, AllowsTheFinalTryByOneWordOnly) {
  EXPECT_TRUE(read({{"HSMTLS_FINAL_TRY", "allow"}}).insist_on_final_try);
  EXPECT_FALSE(read({{"HSMTLS_FINAL_TRY", "yes"}}).insist_on_final_try);
  EXPECT_EQ(1U, read({{"HSMTLS_FINAL_TRY", "yes"}}).problems.size());
  EXPECT_EQ(2U, read({{"HSMTLS_FINAL_TRY", "yes"}, {"HSMTLS_DEADLINE_MS", "soon"}}).problems.size())
      << "one does not hide the other";
}

TEST(Loader, SeesNoLibcryptoInThisProgram) {
  EXPECT_FALSE(main_program_defines("OPENSSL_init_crypto"));
  EXPECT_FALSE(main_program_defines("no_such_symbol"));
  EXPECT_EQ(RTLD_NOW | RTLD_LOCAL, vendor_dlopen_flags());
}

TEST(Quirks, AreFoundByTheStartOfTheModulesNames) {
  EXPECT_TRUE(quirks_of("tpm2-software.github.io", "TPM2.0 Cryptoki").dies_on_fork);
  EXPECT_TRUE(quirks_of("SoftHSM", "Implementation of PKCS11").inherits_over_fork);
  EXPECT_TRUE(quirks_of("PKCS#11 Kit", "PKCS#11 Kit Proxy Module").forwards_finalise_nowhere);
  EXPECT_TRUE(quirks_of("Somebody", "Something").name.empty());
}

}  // namespace
}  // namespace hsmtls::pkcs11
