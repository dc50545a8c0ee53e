// What --json prints: one document on stdout, of whatever happened.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

using json = nlohmann::ordered_json;

// Bytes of a token that are not UTF-8 become U+FFFD.
void print_json(const json& document);

// {"error": {"code": 204, "name": "TOKEN_NOT_FOUND", "category": "token", "message": …, "ckr": …,
// "openssl": …}}; the last two are null where there is none.
json of(const problem& what);

}  // namespace hsmtls::cli
