// The caller's struct for errors: what fits into it.
#include "core/pkcs11/private/failure.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t room = sizeof hsmtls_p11_error{}.message - 1;

std::string described(const std::string& message) {
  hsmtls_p11_error error;
  std::memset(&error, 0x7f, sizeof error);
  EXPECT_EQ(HSMTLS_P11_TOKEN_LOST,
            describe_failure(HSMTLS_P11_TOKEN_LOST, CKR_DEVICE_REMOVED, message.c_str(), &error));
  EXPECT_EQ(HSMTLS_P11_TOKEN_LOST, error.code);
  EXPECT_EQ(uint64_t{CKR_DEVICE_REMOVED}, error.ckr);
  EXPECT_NE(nullptr, std::memchr(error.message, '\0', sizeof error.message));
  return error.message;
}

TEST(DescribeFailure, KeepsAMessageThatFits) {
  for (const size_t length : {size_t{0}, size_t{1}, room - 1, room}) {
    const std::string message(length, 'x');
    EXPECT_EQ(message, described(message)) << length;
  }
  const std::string with_character = std::string(room - 3, 'x') + "\u20ac";
  EXPECT_EQ(with_character, described(with_character)) << "up to the last byte";
}

TEST(DescribeFailure, CutsALongMessageAtTheEndOfItsField) {
  EXPECT_EQ(std::string(room, 'x'), described(std::string(room + 1, 'x')));
  EXPECT_EQ(std::string(room, 'x'), described(std::string(10 * room, 'x')));
}

TEST(DescribeFailure, CutsALongMessageBetweenTwoCharacters) {
  for (const std::string character : {"\u00e9", "\u20ac", "\U0001f512"}) {
    for (size_t inside = 1; inside < character.size(); ++inside) {
      const std::string before(room - inside, 'x');
      EXPECT_EQ(before, described(before + character + " and more"))
          << character << " cut after " << inside << " bytes";
    }
  }
}

TEST(DescribeFailure, FillsNothingForACallerWhoDoesNotWantIt) {
  EXPECT_EQ(HSMTLS_P11_NO_MEMORY,
            describe_failure(HSMTLS_P11_NO_MEMORY, CKR_OK, "out of memory", nullptr));
}

}  // namespace
}  // namespace hsmtls::pkcs11
