// The log in a program that does with its descriptors what it likes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// stderr as a pipe that nobody reads any more: a console that hangs, a stopped journal.
class stalled_stderr {
 public:
  stalled_stderr() {
    int both[2];
    EXPECT_EQ(0, pipe(both));
    fcntl(both[1], F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (write(both[1], page.data(), page.size()) > 0) continue;
    fcntl(both[1], F_SETFL, 0);
    dup2(both[1], STDERR_FILENO);
    close(both[1]);
    setenv("HSMTLS_LOG", "stderr", 1);
  }
  ~stalled_stderr() { dup2(before_, STDERR_FILENO); }
  stalled_stderr(const stalled_stderr&) = delete;
  stalled_stderr& operator=(const stalled_stderr&) = delete;

 private:
  int before_ = dup(STDERR_FILENO);
};

// Application -> hsmtls -> chaos -> stub vendor, with HSMTLS_LOG as the test has set it.
int signs_in_time(const module_under_test& front, std::chrono::milliseconds limit) {
  return expectations([&] {
    const chaos trouble;
    const client app(front);
    const CK_SESSION_HANDLE session = app.open(0);
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    const CK_OBJECT_HANDLE key = app.private_key(session, {1});
    const auto start = std::chrono::steady_clock::now();
    EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
    trouble.run("drop-sessions");
    EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
    trouble.run("pin-flags final-try");
    EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
    EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "1234")) << "and a complaint";
    EXPECT_LT(std::chrono::steady_clock::now() - start, limit);
  });
}

TEST(Log, OnAStalledStderrHoldsNobody) {
  child forked([] {
    const stalled_stderr stalled;
    return signs_in_time(load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR), 5s), 4s);
  });
  EXPECT_TRUE(forked.wait(10s).fine()) << "a line waits for a reader";
}

class LogDescriptor : public over_stub {
 protected:
  // The number of the descriptor that the module writes its log to.
  int number() const {
    const std::string path = fs::weakly_canonical(named_log());
    for (int i = 3; i < 100; ++i) {
      std::error_code none;
      if (fs::read_symlink("/proc/self/fd/" + std::to_string(i), none) == path) return i;
    }
    ADD_FAILURE() << "no descriptor of " << path;
    return -1;
  }
  static std::string named_log() { return getenv("HSMTLS_LOG"); }
};

// A daemon closes everything and opens its files anew.
TEST_F(LogDescriptor, IsNotWrittenToAfterItBecameTheProgramsOwn) {
  const int log_number = number();
  const std::string database = named_log() + ".db";
  close(log_number);
  const int mine = open(database.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_GE(mine, 0);
  if (mine != log_number) dup2(mine, log_number);
  {
    const client app(front);
    const CK_SESSION_HANDLE session = app.open(0);
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), "data"_b));
  }
  EXPECT_EQ(0U, fs::file_size(database));
  EXPECT_EQ("", log.text());
  fs::remove(database);
}

TEST(LogTarget, ThatNobodyReadsFromIsRefusedAtOnce) {
  const std::string fifo = std::string(HSMTLS_TEST_SCRATCH) + "/fifo-" + std::to_string(getpid());
  ASSERT_EQ(0, mkfifo(fifo.c_str(), 0600));
  const ending ended =
      run_program({HSMTLS_TEST_CALL_MODULE, HSMTLS_TEST_FRONT},
                  {{"HSMTLS_MODULE", HSMTLS_TEST_STUB_VENDOR}, {"HSMTLS_LOG", fifo}},
                  10s);
  fs::remove(fifo);
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_NE(std::string::npos,
            ended.output.find("' cannot be opened, so there is no log: nobody reads from it"))
      << ended;
}

TEST(LogTarget, MayBeStderrUnderItsOtherName) {
  const ending ended =
      run_program({HSMTLS_TEST_CALL_MODULE, HSMTLS_TEST_FRONT},
                  {{"HSMTLS_MODULE", "/etc/passwd"}, {"HSMTLS_LOG", "/dev/stderr"}});
  EXPECT_NE(std::string::npos, ended.output.find(" error setup problem=")) << ended;
}

TEST(OneModuleOfTwo, ThatDoesNotInitialiseIsNamed) {
  const std::string broken =
      chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR, "fail C_Initialize * CKR_DEVICE_ERROR");
  const ending ended = run_program({HSMTLS_TEST_CALL_MODULE, HSMTLS_TEST_FRONT},
                                   {{"HSMTLS_MODULE", broken + ":" + HSMTLS_TEST_STUB_VENDOR}});
  EXPECT_NE(std::string::npos, ended.output.find("C_Initialize: 0x0")) << ended;
  EXPECT_NE(std::string::npos,
            ended.output.find("hsmtls: HSMTLS_MODULE: C_Initialize of '" + broken +
                              "' returned CKR_DEVICE_ERROR, so its tokens are not to be had\n"))
      << ended;
}

}  // namespace
}  // namespace hsmtls::test
