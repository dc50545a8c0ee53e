#include "cli/terminal/confirm.hpp"

#include <fmt/format.h>

#include "cli/library/problem.hpp"
#include "cli/terminal/prompt.hpp"
#include "cli/terminal/style.hpp"

namespace hsmtls::cli {

void confirm(const std::string& what_happens, const std::string& name) {
  const std::string shown = printable(name);
  const auto typed =
      ask_line(fmt::format("{}\nType {} to go on: ", printable(what_happens), shown));
  if (!typed && !has_terminal()) {
    throw usage("this cannot be undone, and there is no terminal to confirm it on: say --yes");
  }
  if (typed != shown) throw problem(HSMTLS_CANCELLED, "not confirmed; nothing was done");
}

}  // namespace hsmtls::cli
