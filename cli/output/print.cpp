#include "cli/output/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/output/json.hpp"
#include "cli/terminal/style.hpp"

namespace hsmtls::cli {
namespace {

// Columns on a terminal, near enough: code points.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char one) {
    return (static_cast<unsigned char>(one) & 0xc0U) != 0x80;
  }));
}

// What cannot be written to stderr can be said nowhere.
void say(const std::string& text) {
  (void)std::fputs(text.c_str(), stderr);
}

std::string padded(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

}  // namespace

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
  // Whoever reads the other end has seen enough, as `head` has, and nobody is told.
  if (errno == EPIPE) throw problem(HSMTLS_CANCELLED, "");
  throw problem(HSMTLS_FILE_UNREADABLE,
                fmt::format("cannot write to stdout: {}", std::strerror(errno)));
}

void print_facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  size_t widest = 0;
  for (const auto& [name, value] : facts) widest = std::max(widest, width_of(name));
  std::string text;
  for (const auto& [name, value] : facts) {
    text += styled(stdout, colour::dim, padded(name, widest)) + "  " + printable(value) + "\n";
  }
  print(text);
}

void print_table(const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (size_t column = 0; column < heading.size(); ++column) {
    size_t widest = width_of(heading[column]);
    for (const auto& row : rows) widest = std::max(widest, width_of(printable(row[column])));
    widths.push_back(widest);
  }
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (size_t column = 0; column + 1 < row.size(); ++column)
      text += padded(printable(row[column]), widths[column]) + "  ";
    text += printable(row.back());
    return text.substr(0, text.find_last_not_of(' ') + 1);
  };
  std::string text = styled(stdout, colour::bold, line(heading)) + "\n";
  for (const auto& row : rows) text += line(row) + "\n";
  print(text);
}

void note(const globals& all, const std::string& text) {
  if (!all.json) say(text + "\n");
}

void print_problem(const problem& what, bool as_json) {
  if (*what.what() == '\0') return;
  if (!as_json) {
    say(styled(stderr, colour::red, "hsmtls:") + " " + printable(what.what()) + "\n");
    return;
  }
  try {
    print_json(of(what));
  } catch (const problem& unwritable) {
    // It must not get lost: there is stderr.
    print_problem(what, false);
    if (std::strcmp(unwritable.what(), what.what()) != 0) print_problem(unwritable, false);
  }
}

}  // namespace hsmtls::cli
