#include "core/pkcs11/base/configuration.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace hsmtls::pkcs11 {
namespace {

constexpr long longest_deadline_ms = 600'000;

std::string_view value_of(const char* (*getter)(const char*), const char* name) {
  const char* value = getter(name);
  return value ? std::string_view(value) : std::string_view();
}

std::vector<std::string> split_paths(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const size_t colon = list.find(':');
    if (colon != 0) paths.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) break;
    list.remove_prefix(colon + 1);
  }
  return paths;
}

}  // namespace

configuration read_configuration(const char* (*getter)(const char* name)) {
  configuration read;
  read.modules = split_paths(value_of(getter, "HSMTLS_MODULE"));
  read.pin_source = value_of(getter, "HSMTLS_PIN_SOURCE");
  read.log_target = value_of(getter, "HSMTLS_LOG");

  if (const auto text = value_of(getter, "HSMTLS_DEADLINE_MS"); !text.empty()) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 1 &&
        number <= longest_deadline_ms) {
      read.deadline = std::chrono::milliseconds(number);
    } else {
      read.problems.push_back(
          "HSMTLS_DEADLINE_MS is '" + std::string(text) +
          "'; it takes whole milliseconds from 1 to 600000. Going on with 2000.");
    }
  }
  if (const auto text = value_of(getter, "HSMTLS_FINAL_TRY"); !text.empty()) {
    read.insist_on_final_try = text == "allow";
    if (!read.insist_on_final_try) {
      read.problems.push_back("HSMTLS_FINAL_TRY is '" + std::string(text) +
                              "'; the only value is 'allow'.");
    }
  }
  return read;
}

const configuration& settings() {
  // Never destroyed: threads may still be inside while exit() runs destructors.
  static const configuration& once = *new configuration(
      read_configuration([](const char* name) -> const char* { return secure_getenv(name); }));
  return once;
}

namespace {
// At load, not at the first call: by then the program may have changed its environment.
[[gnu::constructor]] void read_environment_at_load() {
  settings();
}
}  // namespace

}  // namespace hsmtls::pkcs11
