#include "tests/bench/common/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace hsmtls::bench {
namespace {

constexpr int longest_answer_ms = 60'000;

std::vector<std::string> merged(const environment& extra) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string entry = *one;
    if (!extra.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
  }
  for (const auto& [name, value] : extra) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (std::string& one : strings) all.push_back(one.data());
  all.push_back(nullptr);
  return all;
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  return ends;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  return status;
}

}  // namespace

worker_process::worker_process(const json& setup,
                               const environment& extra,
                               const std::vector<std::string>& launcher) {
  // A worker that died is noticed when it does not answer.
  signal(SIGPIPE, SIG_IGN);
  std::string errors = HSMTLS_TEST_SCRATCH "/bench-stderr-XXXXXX";
  std::filesystem::create_directories(HSMTLS_TEST_SCRATCH);
  const int error_file = mkostemp(errors.data(), O_CLOEXEC);
  if (error_file < 0) throw std::runtime_error("cannot make " + errors);
  errors_ = errors;

  std::vector<std::string> command = launcher;
  for (const std::string& argument : {std::filesystem::read_symlink("/proc/self/exe").string(),
                                      std::string("worker"),
                                      setup.dump()}) {
    command.push_back(argument);
  }
  std::vector<std::string> variables = merged(extra);
  const auto in = make_pipe();
  const auto out = make_pipe();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, error_file, STDERR_FILENO);
  const int failed = posix_spawnp(&child_,
                                  command.front().c_str(),
                                  &files,
                                  nullptr,
                                  pointers(command).data(),
                                  pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  for (const int end : {in[0], out[1], error_file}) close(end);
  input_ = in[1];
  output_ = out[0];
  if (failed != 0) child_ = -1;
  try {
    if (failed != 0) throw std::runtime_error(command.front() + ": " + std::strerror(failed));
    answer();
  } catch (...) {
    abandon();
    throw;
  }
}

worker_process::~worker_process() {
  abandon();
}

void worker_process::abandon() {
  close_input();
  if (output_ >= 0) close(output_);
  if (child_ > 0) {
    kill(child_, SIGKILL);
    wait_for(child_);
  }
  std::error_code ignored;
  std::filesystem::remove(errors_, ignored);
}

void worker_process::tell(const json& request) {
  const std::string line = request.dump() + '\n';
  if (write(input_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::runtime_error("the worker is gone: " + last_words());
  }
}

json worker_process::answer() {
  std::size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    pollfd readable{output_, POLLIN, 0};
    if (poll(&readable, 1, longest_answer_ms) == 0) throw std::runtime_error("the worker hangs");
    std::array<char, 4096> more{};
    const ssize_t length = read(output_, more.data(), more.size());
    if (length <= 0) throw std::runtime_error("the worker ended: " + last_words());
    unread_.append(more.data(), static_cast<std::size_t>(length));
  }
  auto said = json::parse(unread_.substr(0, end));
  unread_.erase(0, end + 1);
  if (said.contains("error")) throw std::runtime_error(said.at("error").get<std::string>());
  return said;
}

void worker_process::finish() {
  close_input();
  const int status = wait_for(child_);
  child_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("the worker did not end with status 0: " + last_words());
  }
}

void worker_process::close_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

std::string worker_process::last_words() const {
  std::ifstream file(errors_);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "it said nothing" : last;
}

}  // namespace hsmtls::bench
