// The log's lines, and what is said to the person who runs the program.
#include "core/pkcs11/base/log.hpp"

#include <gtest/gtest.h>

#include "core/pkcs11/base/quoted_name.hpp"
#include "tests/pkcs11/captured_stderr.hpp"

namespace hsmtls::pkcs11 {
namespace {

std::string fields(std::string_view value) {
  std::string line;
  log::detail::append_fields(line, "key", value);
  return line;
}

TEST(LogLine, IsOneWhateverAValueHolds) {
  std::string line;
  log::detail::append_fields(line,
                             "plain",
                             "edge",
                             "number",
                             12,
                             "blank",
                             "a b",
                             "empty",
                             "",
                             "quote",
                             "a\"b\\c",
                             "lines",
                             "a\nb\tc");
  EXPECT_EQ(R"( plain=edge number=12 blank="a b" empty="" quote="a\x22b\x5cc" lines="a\x0ab\x09c")",
            line);
}

TEST(LogLine, HoldsNothingThatATerminalObeys) {
  EXPECT_EQ(R"( key="a\x1b[31m")", fields("a\x1b[31m"));  // no blank or quote in it
  EXPECT_EQ(R"( key="a\x7f")", fields("a\x7f"));
  EXPECT_EQ(R"( key="a\xc2\x9b2J")",
            fields("a\xC2\x9B"
                   "2J"));  // C1: CSI
  EXPECT_EQ(R"( key="a\x9b2J")",
            fields("a\x9B"
                   "2J"));
  EXPECT_EQ(R"( key="\xff\xfe")", fields("\xFF\xFE"));
  EXPECT_EQ(" key=\u00fcber", fields("\u00fcber"));  // text stays text
}

TEST(Complaint, IsSaidOnce) {
  test::captured_stderr on_stderr;
  log::complain("something is wrong");
  log::complain("something is wrong");
  log::complain("something else is wrong");
  EXPECT_EQ("hsmtls: something is wrong\nhsmtls: something else is wrong\n", on_stderr.stop());
}

TEST(Complaint, HoldsNothingThatATerminalObeys) {
  test::captured_stderr on_stderr;
  log::complain("the token \x1b]0;owned\x07 is away");
  EXPECT_EQ("hsmtls: the token \\x1b]0;owned\\x07 is away\n", on_stderr.stop());
}

TEST(QuotedPath, IsShownAsAWhole) {
  const std::string path = "/" + std::string(200, 'a');
  EXPECT_EQ("'" + path + "'", quoted_path(path));
  EXPECT_EQ(R"('/tmp/\x27\x1b\x5c')", quoted_path("/tmp/'\x1b\\"));
}

}  // namespace
}  // namespace hsmtls::pkcs11
