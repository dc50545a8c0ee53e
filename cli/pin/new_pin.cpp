#include "cli/pin/new_pin.hpp"

#include <fmt/format.h>

#include "cli/library/problem.hpp"
#include "cli/library/uri.hpp"
#include "cli/pin/source.hpp"
#include "cli/terminal/prompt.hpp"

namespace hsmtls::cli {
namespace {

secret ask(const std::string& question) {
  auto typed = ask_secret(question + ": ");
  if (!typed || typed->empty())
    throw problem(HSMTLS_CANCELLED, "no PIN was typed; nothing was done");
  return std::move(*typed);
}

}  // namespace

secret get_pin(const pin_wanted& wanted) {
  if (!wanted.source.empty()) return read_pin_source(wanted.source);
  if (!has_terminal()) {
    throw problem(
        HSMTLS_PIN_REQUIRED,
        fmt::format("no {}, and there is no terminal to ask for it on: say where it is with "
                    "{} file:/absolute/path, env:NAME or credential:NAME",
                    wanted.question,
                    wanted.option));
  }
  secret typed = ask(wanted.question);
  if (wanted.twice && !(typed == ask("once more"))) {
    throw problem(HSMTLS_CANCELLED, "the two PINs differ; nothing was done");
  }
  return typed;
}

void refuse_pin_in(const std::string& uri, const std::string& options) {
  if (names_pin(uri)) {
    throw usage(
        fmt::format("the URI has a PIN in its query, and this command takes several PINs: say "
                    "where each is with {}",
                    options));
  }
}

}  // namespace hsmtls::cli
