// A sign of life for what takes over a second. Nothing where stderr is no terminal.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace hsmtls::cli {

class spinner {
 public:
  explicit spinner(std::string doing);
  ~spinner();
  spinner(const spinner&) = delete;
  spinner& operator=(const spinner&) = delete;

 private:
  void turn();

  std::string doing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace hsmtls::cli
