// The chaos module's control API for tests; its commands are described in core/chaos/README.md.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace hsmtls::test {

// `chaos` steers libhsmtls-chaos.so in this process, whoever loaded it. Any thread.
class chaos {
 public:
  // `in_front_of` sets the environment that makes the chaos module load `vendor`, and returns the
  // chaos module's file. Call it before anything loads that file.
  static std::string in_front_of(const std::string& vendor, const std::string& script = {}) {
    setenv("HSMTLS_CHAOS_MODULE", vendor.c_str(), 1);
    if (script.empty()) {
      unsetenv("HSMTLS_CHAOS");
    } else {
      setenv("HSMTLS_CHAOS", script.c_str(), 1);
    }
    return HSMTLS_TEST_CHAOS;
  }

  explicit chaos(const std::string& file = HSMTLS_TEST_CHAOS)
      : handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    run_ = symbol<int(const char*)>("hsmtls_chaos_run");
    last_error_ = symbol<const char*()>("hsmtls_chaos_last_error");
    count_ = symbol<std::uint64_t(const char*)>("hsmtls_chaos_count");
    total_ = symbol<std::uint64_t()>("hsmtls_chaos_total");
    reset_ = symbol<void()>("hsmtls_chaos_reset");
  }

  // `run` executes a script; throws std::invalid_argument with the chaos module's words if it
  // cannot.
  void run(const std::string& script) const {
    if (run_(script.c_str()) != 0) throw std::invalid_argument(last_error_());
  }

  // `count` returns the number of calls of `function` ("C_Sign"), or of those that returned a value
  // ("C_Login CKR_PIN_INCORRECT").
  std::uint64_t count(const std::string& function) const { return count_(function.c_str()); }

  std::uint64_t total() const { return total_(); }

  // `reset` brings everything back to how it was at load, without a script: no rules, tokens
  // present, counts 0.
  void reset() const { reset_(); }

 private:
  template <class Function>
  Function* symbol(const char* name) const {
    auto* found = reinterpret_cast<Function*>(dlsym(handle_, name));
    if (found == nullptr) throw std::runtime_error(dlerror());
    return found;
  }

  void* handle_;
  int (*run_)(const char*);
  const char* (*last_error_)();
  std::uint64_t (*count_)(const char*);
  std::uint64_t (*total_)();
  void (*reset_)();
};

}  // namespace hsmtls::test
