// The parts that messages are made of.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/base/similar.hpp"
#include "core/pkcs11/base/utf8.hpp"

namespace hsmtls::pkcs11 {
namespace {

TEST(EditDistance, CountsTypingErrors) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("edge", "edge"), 0U);
  EXPECT_EQ(edit_distance("edge", ""), 4U);
  EXPECT_EQ(edit_distance("egde", "edge"), 1U);
  EXPECT_EQ(edit_distance("edge", "edges"), 1U);
  EXPECT_EQ(edit_distance("edge", "ege"), 1U);
  EXPECT_EQ(edit_distance("edge", "exge"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(ClosestName, TakesOnlyWhatATypingErrorExplains) {
  constexpr std::array<std::string_view, 3> names = {"token", "type", "x"};
  EXPECT_EQ(closest_name("tokne", names), "token");
  EXPECT_EQ(closest_name("TYPE", names), "type");
  EXPECT_EQ(closest_name("t", names), std::nullopt);
  EXPECT_EQ(closest_name("y", names), std::nullopt);
  EXPECT_EQ(closest_name("", names), std::nullopt);
  EXPECT_EQ(closest_name(std::string(65, 'x'), names), std::nullopt);
}

TEST(Quoted, CutsLongNamesBetweenCharacters) {
  EXPECT_EQ(quoted_name(std::string(64, 'a')), "'" + std::string(64, 'a') + "'");
  EXPECT_EQ(quoted_name(std::string(65, 'a')), "'" + std::string(64, 'a') + "...'");
  const std::string euros = std::string(63, 'a') + "\xE2\x82\xAC";
  EXPECT_FALSE(first_non_text(quoted_name(euros + "b")));
}

TEST(Listed, EndsAfterTen) {
  EXPECT_EQ(listed(std::vector<std::string>{}), "");
  EXPECT_EQ(listed(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(listed(std::vector<std::string>(10, "a")), "a, a, a, a, a, a, a, a, a, a");
  EXPECT_EQ(listed(std::vector<std::string>(1000, "a")),
            "a, a, a, a, a, a, a, a, a, a and 990 more");
}

}  // namespace
}  // namespace hsmtls::pkcs11
