// What doctor found: a line for each step as it comes, or all of it as JSON.
#pragma once

#include <string>

#include "cli/globals.hpp"
#include "cli/output/json.hpp"

namespace hsmtls::cli {

class checklist {
 public:
  explicit checklist(const globals& all) : all_(all) {}

  // `step` is a name that stays: "token", "signature"; `found` what is so; `advice` what to do.
  void holds(const char* step, const std::string& found);
  void fails(const char* step, const std::string& found, const std::string& advice = {});
  void fails(const char* step, const problem& why);
  // Works, and is not as it should be.
  void warns(const char* step, const std::string& found, const std::string& advice);
  // Neither good nor bad.
  void notes(const char* step, const std::string& found);
  // Could not be looked at, because of what failed before.
  void skips(const char* step, const std::string& why);

  [[nodiscard]] bool has_failed() const { return failed_ > 0; }
  // Prints the sum.
  void finish();

 private:
  void add(const char* step,
           const char* status,
           const std::string& found,
           const std::string& advice);

  const globals& all_;
  json steps_ = json::array();
  int failed_ = 0;
  int warned_ = 0;
};

}  // namespace hsmtls::cli
