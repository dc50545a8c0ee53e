#include "cli/openssl/subject.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <new>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {
namespace {

// The parts between `delimiter`s that no backslash is before; backslashes are kept.
std::vector<std::string> split(const std::string& text, char delimiter) {
  std::vector<std::string> parts(1);
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == delimiter) {
      parts.emplace_back();
      continue;
    }
    if (text[at] == '\\' && at + 1 < text.size()) parts.back() += text[at++];
    parts.back() += text[at];
  }
  return parts;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  return out;
}

std::string trimmed_left(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

void add(X509_NAME* to, const std::string& part) {
  const size_t equals = part.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage(
        fmt::format("--subject: '{}' is not of the form NAME=VALUE, as in "
                    "'CN=device-0001,O=Example'; a comma in a value is written \\,",
                    part));
  }
  const std::string name = trimmed_left(part.substr(0, equals));
  const std::string value = unescaped(part.substr(equals + 1));
  if (value.empty()) throw usage(fmt::format("--subject: '{}' has no value", name));
  if (X509_NAME_add_entry_by_txt(to,
                                 name.c_str(),
                                 MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()),
                                 -1,
                                 0) != 1) {
    const std::string reason = openssl_reason();
    throw usage(fmt::format("--subject: OpenSSL does not take '{}': {}", part, reason));
  }
}

struct kind {
  const char* prefix;
  int type;
};
constexpr std::array kinds{kind{"DNS:", GEN_DNS},
                           kind{"IP:", GEN_IPADD},
                           kind{"URI:", GEN_URI},
                           kind{"email:", GEN_EMAIL}};

void add_alternative(GENERAL_NAMES* to, const std::string& text) {
  for (const kind& one : kinds) {
    const std::string_view prefix(one.prefix);
    if (text.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string value = text.substr(prefix.size());
    GENERAL_NAME* const made =
        value.empty() ? nullptr
                      : a2i_GENERAL_NAME(nullptr, nullptr, nullptr, one.type, value.c_str(), 0);
    if (made == nullptr) {
      ERR_clear_error();
      throw usage(
          fmt::format("--san: '{}' is no {}", text, one.type == GEN_IPADD ? "address" : "name"));
    }
    if (sk_GENERAL_NAME_push(to, made) == 0) throw std::bad_alloc();
    return;
  }
  throw usage(fmt::format("--san: '{}' begins with none of DNS:, IP:, URI:, email:", text));
}

}  // namespace

x509_name parse_subject(const std::string& text) {
  x509_name name(X509_NAME_new());
  if (!name) throw std::bad_alloc();
  const bool with_slashes = !text.empty() && text[0] == '/';
  std::vector<std::string> parts =
      split(with_slashes ? text.substr(1) : text, with_slashes ? '/' : ',');
  if (!with_slashes) std::reverse(parts.begin(), parts.end());
  for (const std::string& part : parts) add(name.get(), part);
  return name;
}

alternative_names parse_alternative_names(const std::vector<std::string>& texts) {
  if (texts.empty()) return nullptr;
  alternative_names names(GENERAL_NAMES_new());
  if (!names) throw std::bad_alloc();
  for (const std::string& text : texts) {
    for (const std::string& one : split(text, ',')) add_alternative(names.get(), unescaped(one));
  }
  return names;
}

}  // namespace hsmtls::cli
