#include "cli/openssl/subject.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
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

// openssl -subj: a backslash takes the meaning from the character behind it.
std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  return out;
}

// RFC 4514 section 2.4: two hexadecimal digits behind a backslash are a byte.
std::string unescaped_rfc4514(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    const auto digit = [&](size_t of) {
      return of < text.size() ? OPENSSL_hexchar2int(static_cast<unsigned char>(text[of])) : -1;
    };
    const int high = digit(at + 1);
    const int low = digit(at + 2);
    const bool is_byte = high >= 0 && low >= 0;
    out += is_byte ? static_cast<char>(high << 4 | low) : text[at + 1];
    at += is_byte ? 2 : 1;
  }
  return out;
}

std::string trimmed(const std::string& text) {
  const size_t start = text.find_first_not_of(' ');
  if (start == std::string::npos) return "";
  return text.substr(start, text.find_last_not_of(' ') - start + 1);
}

// Both forms give these a meaning: what is left as it stands would be another name than was meant.
void refuse_what_is_not_supported(const std::string& value, bool is_rfc4514) {
  if (is_rfc4514 && value.starts_with('#')) {
    throw usage(fmt::format(
        "--subject: '{}' would be the bytes of an ASN.1 value, which are not supported; "
        "a value that begins with # is written \\#",
        value));
  }
  const std::vector<std::string> parts = split(value, '+');
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].find('=') == std::string::npos) continue;
    throw usage(
        fmt::format("--subject: '+{}' would be a second name beside the first, which is not "
                    "supported; a plus in a value is written \\+",
                    parts[i]));
  }
}

void add(X509_NAME* to, const std::string& part, bool is_rfc4514) {
  const size_t equals = part.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage(
        fmt::format("--subject: '{}' is not of the form NAME=VALUE, as in "
                    "'CN=device-0001,O=Example'; a comma in a value is written \\,",
                    part));
  }
  const std::string name = trimmed(part.substr(0, equals));
  const std::string typed = part.substr(equals + 1);
  refuse_what_is_not_supported(typed, is_rfc4514);
  const std::string value = is_rfc4514 ? unescaped_rfc4514(typed) : unescaped(typed);
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
  for (const std::string& part : parts) add(name.get(), part, !with_slashes);
  return name;
}

alternative_names parse_alternative_names(const std::vector<std::string>& texts) {
  if (texts.empty()) return nullptr;
  alternative_names names(GENERAL_NAMES_new());
  if (!names) throw std::bad_alloc();
  for (const std::string& text : texts) {
    for (const std::string& one : split(text, ','))
      add_alternative(names.get(), unescaped(trimmed(one)));
  }
  return names;
}

}  // namespace hsmtls::cli
