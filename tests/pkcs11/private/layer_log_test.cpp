// What the layers above write through us: the log's lines, and sentences about the set-up.
#include <gmock/gmock.h>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/private/face.hpp"

namespace hsmtls::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class PrivateLog : public private_over_stub {
 protected:
  void write(uint32_t level, const char* event, const std::vector<const char*>& strings) const {
    face->log(level, event, strings.data(), static_cast<uint32_t>(strings.size()));
  }
};

TEST_F(PrivateLog, WritesOneLineInTheFormatOfOurOwn) {
  write(0, "bound", {"libssl", "/usr/lib/libssl.so.3", "reason", "the first \"one\""});
  EXPECT_THAT(log.text(),
              EndsWith("Z info bound libssl=/usr/lib/libssl.so.3 "
                       "reason=\"the first \\x22one\\x22\"\n"));
}

TEST_F(PrivateLog, KnowsThreeLevelsAndTakesWhatIsHigherForAnError) {
  for (const uint32_t level : {0U, 1U, 2U, 77U}) write(level, "level", {});
  for (const auto* name : {" info level\n", " warning level\n", " error level\n"})
    EXPECT_THAT(log.text(), HasSubstr(name));
  EXPECT_EQ(4U, log.count("level"));
}

TEST_F(PrivateLog, IsOneLineWhateverItIsGiven) {
  write(0, "two\nlines", {"key\nkey", "value\nvalue", nullptr, "dropped", "empty", nullptr, "odd"});
  EXPECT_THAT(
      log.text(),
      EndsWith(" info two\\x0alines key\\x0akey=\"value\\x0avalue\" empty=\"\" odd=\"\"\n"));
  const std::string before = log.text();
  face->log(0, nullptr, nullptr, 0);
  face->log(0, "event", nullptr, 2);
  EXPECT_EQ(before, log.text());
}

TEST_F(PrivateLog, SaysASentenceOnceOnStderrAndInTheLog) {
  captured_stderr said;
  face->complain("'a.conf' names no module");
  face->complain("'a.conf' names no module");
  face->complain(nullptr);
  EXPECT_EQ("hsmtls: 'a.conf' names no module\n", said.stop());
  EXPECT_EQ(1U, log.count("setup"));
}

}  // namespace
}  // namespace hsmtls::test
