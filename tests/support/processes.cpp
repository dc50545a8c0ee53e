#include "tests/support/processes.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

int milliseconds_left(steady::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - steady::now()).count();
  return left > 0 ? static_cast<int>(left) + 1 : 0;
}

// Reads what comes out of `out` and waits for the process `id` to end, or ends it.
void follow(pid_t id, int out, steady::time_point until, ending& ended) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, id, 0));
  if (process < 0) throw std::runtime_error("pidfd_open failed");
  pollfd watched[] = {{process, POLLIN, 0}, {out, POLLIN, 0}};
  for (;;) {
    const int ready = poll(watched, out < 0 ? 1 : 2, milliseconds_left(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      ended.timed_out = true;
      kill(id, SIGKILL);
      break;
    }
    if (out >= 0 && watched[1].revents != 0) {
      char buffer[4096];
      const ssize_t got = read(out, buffer, sizeof buffer);
      if (got > 0) {
        ended.output.append(buffer, static_cast<size_t>(got));
        continue;
      }
      watched[1].fd = -1;  // everybody closed it
    }
    if (watched[0].revents != 0) break;
  }
  close(process);
  int status = 0;
  while (waitpid(id, &status, 0) == -1 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ended.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  char buffer[4096];
  // What it wrote last; a grandchild may still have the other end, so without waiting.
  if (out >= 0) fcntl(out, F_SETFL, O_NONBLOCK);
  for (ssize_t got = 0; out >= 0 && (got = read(out, buffer, sizeof buffer)) > 0;) {
    ended.output.append(buffer, static_cast<size_t>(got));
  }
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string entry = *one;
    if (!changes.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) all.push_back(name + "=" + value);
  }
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& one : strings) out.push_back(const_cast<char*>(one.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ending& one) {
  if (one.timed_out)
    out << "did not end";
  else if (one.signal != 0)
    out << "was ended by signal " << one.signal;
  else
    out << "exited with status " << one.exit_status;
  return out << " after " << one.took.count() << " ms; it wrote:\n" << one.output;
}

ending run_program(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& changes,
                   milliseconds limit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  const auto variables = environment_with(changes);
  pid_t id = 0;
  const auto start = steady::now();
  const int failed = posix_spawn(&id,
                                 arguments.at(0).c_str(),
                                 &actions,
                                 nullptr,
                                 pointers(arguments).data(),
                                 pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    close(ends[0]);
    throw std::runtime_error("cannot start " + arguments.at(0));
  }
  ending ended;
  follow(id, ends[0], start + limit, ended);
  close(ends[0]);
  ended.took = std::chrono::duration_cast<milliseconds>(steady::now() - start);
  return ended;
}

child::child(const std::function<int()>& body) : id_(fork()) {
  if (id_ == 0) _exit(body());
  if (id_ < 0) throw std::runtime_error("fork failed");
}

child::~child() {
  if (id_ > 0) wait(milliseconds(0));
}

ending child::wait(milliseconds limit) {
  ending ended;
  follow(id_, -1, steady::now() + limit, ended);
  id_ = 0;
  ended.took = std::chrono::duration_cast<milliseconds>(steady::now() - start_);
  return ended;
}

int expectations(const std::function<void()>& body) {
  body();
  fflush(stdout);
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace hsmtls::test
