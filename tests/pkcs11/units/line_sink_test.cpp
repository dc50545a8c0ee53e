// A descriptor that lines go to, in a program that does with its descriptors what it likes.
#include "core/pkcs11/base/line_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

namespace hsmtls::pkcs11 {
namespace {

using redirection = line_sink::redirection;

class file {
 public:
  explicit file(int flags = 0) {
    std::string name = std::string(HSMTLS_TEST_SCRATCH) + "/sink.XXXXXX";
    descriptor = mkostemp(name.data(), flags);
    path_ = name;
  }
  ~file() { std::filesystem::remove(path_); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }
  int descriptor;

 private:
  std::string path_;
};

struct pipe_ends {
  pipe_ends() {
    int both[2];
    EXPECT_EQ(0, pipe2(both, O_CLOEXEC));
    reader = both[0];
    writer = both[1];
    fcntl(reader, F_SETFL, O_NONBLOCK);
  }
  // Fills it so far that no whole page is free.
  void fill() const {
    fcntl(writer, F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (write(writer, page.data(), page.size()) > 0) continue;
    fcntl(writer, F_SETFL, 0);
  }
  [[nodiscard]] std::string drain() const {
    std::string all;
    char some[4096];
    for (ssize_t got; (got = read(reader, some, sizeof some)) > 0;)
      all.append(some, static_cast<size_t>(got));
    return all;
  }
  int reader, writer;
};

TEST(LineSink, WritesNothingIntoAFileThatGotItsNumber) {
  const file log;
  line_sink sink(log.descriptor, redirection::never);
  sink.write("before");
  const file database;
  dup2(database.descriptor, log.descriptor);
  sink.write("after");
  EXPECT_FALSE(sink.is_open());
  EXPECT_EQ("before\n", log.text());
  EXPECT_EQ("", database.text());
}

TEST(LineSink, FollowsStderrIntoALogFileOnly) {
  const file at_load;
  line_sink sink(at_load.descriptor, redirection::to_appended_file);
  const file database;
  dup2(database.descriptor, at_load.descriptor);
  sink.write("one");
  const file server_log(O_APPEND);
  dup2(server_log.descriptor, at_load.descriptor);
  sink.write("two");
  EXPECT_EQ("", at_load.text());
  EXPECT_EQ("", database.text());
  EXPECT_EQ("two\n", server_log.text());
}

TEST(LineSink, IsSilentWithoutADescriptor) {
  line_sink sink(-1, redirection::never);
  EXPECT_FALSE(sink.is_open());
  sink.write("nobody hears this");
  EXPECT_FALSE(line_sink(1000000, redirection::never).is_open());
}

TEST(LineSink, DropsWhatWouldWaitAndSaysHowMuch) {
  const pipe_ends pipe;
  line_sink sink(pipe.writer, redirection::never);
  pipe.fill();
  const auto three = std::async(std::launch::async, [&] {
    errno = 42;
    for (int i = 0; i < 3; ++i) sink.write("lost");
    EXPECT_EQ(42, errno);
  });
  const bool in_time = three.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
  EXPECT_TRUE(in_time) << "it waits for a reader";
  const std::string before = pipe.drain();  // lets a waiting one go
  three.wait();
  EXPECT_EQ(std::string::npos, before.find("lost"));
  if (in_time) {
    sink.write("heard");
    sink.write("again");
    EXPECT_EQ("heard dropped=3\nagain\n", pipe.drain());
  }
}

TEST(LineSink, SurvivesAReaderThatIsGone) {
  const pipe_ends pipe;
  line_sink sink(pipe.writer, redirection::never);
  close(pipe.reader);
  sink.write("nobody reads this");  // SIGPIPE would end the test
}

TEST(LineSink, CutsWhatIsLongerThanAPipeTakesInOnePiece) {
  const pipe_ends pipe;
  line_sink sink(pipe.writer, redirection::never);
  std::string euros;
  for (int i = 0; i < 3000; ++i) euros += "\u20ac";
  sink.write(euros);
  const std::string written = pipe.drain();
  EXPECT_LE(written.size(), 4096U);
  EXPECT_EQ("\u20ac...\n", written.substr(written.size() - 7)) << "between two characters";
}

}  // namespace
}  // namespace hsmtls::pkcs11
