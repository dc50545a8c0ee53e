// Text on stdout, for people.
#pragma once

#include <string>
#include <vector>

#include "cli/globals.hpp"
#include "cli/library/problem.hpp"

namespace hsmtls::cli {

// Throws problem where stdout does not take it: a full disk must not look like success. Without a
// message where it is a pipe that nobody reads any more.
void print(const std::string& text);

// `print_facts` prints lines of "name: value", the values below one another.
void print_facts(const std::vector<std::pair<std::string, std::string>>& facts);

// `print_table` prints rows below a heading; every row is as long as the heading.
void print_table(const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& rows);

// `note` prints a line beside the result, on stderr, and nothing with --json.
void note(const globals& all, const std::string& text);

// `print_problem` prints an error: to stderr, with --json as JSON to stdout, unless that cannot be
// written. One without a message is not spoken of.
void print_problem(const problem& what, bool as_json);

}  // namespace hsmtls::cli
