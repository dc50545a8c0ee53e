#include "cli/doctor/checklist.hpp"

#include <fmt/format.h>

#include "cli/output/print.hpp"
#include "cli/terminal/style.hpp"

namespace hsmtls::cli {
namespace {

std::string mark_of(std::string_view status) {
  if (status == "ok") return styled(stdout, colour::green, "✓");
  if (status == "failed") return styled(stdout, colour::red, "✗");
  if (status == "warning") return styled(stdout, colour::yellow, "!");
  return styled(stdout, colour::dim, status == "skipped" ? "-" : "·");
}

}  // namespace

void checklist::add(const char* step,
                    const char* status,
                    const std::string& found,
                    const std::string& advice) {
  steps_.push_back({{"step", step},
                    {"status", status},
                    {"message", found},
                    {"advice", advice.empty() ? json() : json(advice)}});
  if (all_.json) return;
  print(fmt::format("{} {:<20} {}\n", mark_of(status), step, printable(found)));
  if (!advice.empty()) print(fmt::format("  {:<20} -> {}\n", "", printable(advice)));
}

void checklist::holds(const char* step, const std::string& found) {
  add(step, "ok", found, {});
}

void checklist::fails(const char* step, const std::string& found, const std::string& advice) {
  ++failed_;
  add(step, "failed", found, advice);
}

void checklist::fails(const char* step, const problem& why) {
  fails(step, fmt::format("{} ({})", why.what(), why.name()));
}

void checklist::warns(const char* step, const std::string& found, const std::string& advice) {
  ++warned_;
  add(step, "warning", found, advice);
}

void checklist::notes(const char* step, const std::string& found) {
  add(step, "note", found, {});
}

void checklist::skips(const char* step, const std::string& why) {
  add(step, "skipped", why, {});
}

void checklist::finish() {
  if (all_.json) {
    print_json({{"healthy", !has_failed()},
                {"failed", failed_},
                {"warnings", warned_},
                {"steps", steps_}});
    return;
  }
  print(has_failed() ? fmt::format("\n{} failed, {} to look at\n", failed_, warned_)
                     : fmt::format("\nall right, {} to look at\n", warned_));
}

}  // namespace hsmtls::cli
