// How often which function was called, and what it returned.
#pragma once

#include <pkcs11.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "names.hpp"

namespace hsmtls::chaos {

class call_counts {
 public:
  void called(function_id id) { at(calls_, id).fetch_add(1, std::memory_order_relaxed); }
  void returned(function_id id, CK_RV rv);

  // `of` answers "C_Sign" and "C_Login CKR_PIN_INCORRECT"; none if there is no such name.
  std::optional<std::uint64_t> of(std::string_view name) const;
  std::uint64_t total() const;
  void reset();

  // `table` returns a line for each function that was called ("C_Sign 12"); for C_Login and
  // functions that failed one more for each value returned ("C_Sign CKR_DEVICE_ERROR 1"); last
  // "total 40".
  std::string table() const;

  // `write` replaces `file` by the table, all at once; %p in the name stands for the process ID.
  // Returns an error text, empty if it went well.
  std::string write(const std::string& file) const;

 private:
  using counters = std::array<std::atomic<std::uint64_t>, num_functions>;
  static std::atomic<std::uint64_t>& at(counters& all, function_id id) {
    return all[static_cast<std::size_t>(id)];
  }

  counters calls_{};
  counters succeeded_{};
  std::map<std::pair<std::size_t, CK_RV>, std::uint64_t> failed_;
};

}  // namespace hsmtls::chaos
