// What the tests of URIs share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {

// The URI that `text` has to be; an empty one, and a failed test, if it is refused.
inline uri parsed(std::string_view text) {
  const uri_result result = parse_uri(text);
  EXPECT_TRUE(result) << text << "\n" << result.problem.message;
  return result.value.value_or(uri{});
}

// The problem of a text that has to be refused with `code`.
inline uri_problem refused(std::string_view text, uri_errc code) {
  const uri_result result = parse_uri(text);
  EXPECT_FALSE(result) << text;
  EXPECT_EQ(static_cast<int>(result.problem.code), static_cast<int>(code))
      << text << "\n"
      << result.problem.message;
  return result.problem;
}

using bytes = std::vector<std::uint8_t>;

}  // namespace hsmtls::pkcs11
