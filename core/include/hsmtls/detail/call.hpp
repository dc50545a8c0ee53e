// How the C++ face calls the C face. Not for users.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>

#include "hsmtls/error.hpp"

namespace hsmtls::detail {

// Says which OpenSSL is meant, before the first call that needs one; set by openssl.hpp.
using binder = std::int32_t (*)(hsmtls_error** out_error);
inline std::atomic<binder> say_which_openssl{nullptr};

// `call` calls function(…, hsmtls_error**) and returns how it ended.
template <class Function, class... Arguments>
diagnostics call(Function function, Arguments... arguments) {
  hsmtls_error* taken = nullptr;
  const std::int32_t code = function(arguments..., &taken);
  return diagnostics(code, taken);
}

// `has_openssl` comes before the calls that need the host's OpenSSL. False: `problem` says why.
inline bool has_openssl(diagnostics& problem) {
  const binder bind = say_which_openssl.load();
  problem = bind != nullptr ? call(bind) : diagnostics();
  return !problem;
}

// `thrown_by` makes of the form with diagnostics the one that throws.
template <class Function>
auto thrown_by(Function&& function) {
  diagnostics problem;
  if constexpr (std::is_void_v<decltype(function(problem))>) {
    function(problem);
    if (problem) throw error(std::move(problem));
  } else {
    auto result = function(problem);
    if (problem) throw error(std::move(problem));
    return result;
  }
}

// An exception of a callback of the user's waits here until the C face is left.
class held_exception {
 public:
  template <class Result, class Function>
  Result hold(Result otherwise, Function&& function) noexcept {
    try {
      return function();
    } catch (...) {
      thrown_ = std::current_exception();
      return otherwise;
    }
  }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::exception_ptr thrown_;
};

inline std::uint32_t length(std::size_t size) {
  if (size > UINT32_MAX) throw std::length_error("hsmtls: more than 4 GiB");
  return static_cast<std::uint32_t>(size);
}

inline const std::uint8_t* bytes(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Null means "not given" in C, where C++ has an empty string.
inline const char* given(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// `text` takes over text of the C face.
inline std::string text(hsmtls_text* taken) {
  const std::unique_ptr<hsmtls_text, decltype(&hsmtls_text_free)> owner(taken, &hsmtls_text_free);
  return {hsmtls_text_data(taken), hsmtls_text_len(taken)};
}

// Overwrites a PIN, and is not optimised away.
inline void wipe(std::string& secret) noexcept {
  volatile char* const data = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) data[i] = 0;
}

}  // namespace hsmtls::detail
