#include "cli/output/json.hpp"

#include <fmt/format.h>

#include "cli/output/print.hpp"

namespace hsmtls::cli {

void print_json(const json& document) {
  print(document.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

json of(const problem& what) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json() : json(text); };
  return {{"error",
           {{"code", what.code()},
            {"name", what.name()},
            {"category", what.category()},
            {"message", what.what()},
            {"ckr", or_null(what.ckr())},
            {"openssl", or_null(what.openssl())}}}};
}

}  // namespace hsmtls::cli
