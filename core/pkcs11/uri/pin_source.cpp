#include "core/pkcs11/uri/pin_source.hpp"

#include <algorithm>
#include <array>

#include "core/pkcs11/base/similar.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr std::string_view forms =
    "write file:/absolute/path, env:NAME or credential:NAME (a PIN itself goes into pin-value)";

pin_location_result refused(std::string_view what) {
  return {std::nullopt, std::string(what) + "; " + std::string(forms)};
}

pin_location_result file_at(std::string_view path) {
  // RFC 8089 section 2: the authority of a file URI is empty or "localhost".
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    if (ascii_lower(path.substr(0, path.find('/'))) == "localhost") path.remove_prefix(9);
    if (!path.starts_with('/'))
      return refused("the file's URI names another host or no absolute path");
  }
  if (!path.starts_with('/')) return refused("the file's path is not absolute");
  // "file:" and such a path would read as a host.
  if (path.starts_with("//")) return refused("the file's path begins with two slashes");
  return {pin_location{pin_location::kind::file, std::string(path)}, {}};
}

bool is_variable_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), is_word);
}

bool is_credential_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.size() <= 255;
}

}  // namespace

pin_location_result parse_pin_source(std::string_view text) {
  if (text.empty()) return refused("it is empty");
  if (text.starts_with('|')) {
    return refused("the |command form is not supported, because a URI would then run programs");
  }
  if (text.starts_with('/')) return file_at("//" + std::string(text));

  const std::size_t colon = text.find(':');
  const std::string scheme = ascii_lower(text.substr(0, colon));
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (colon == std::string_view::npos) return refused("it names no kind of source");
  if (scheme == "file") return file_at(rest);
  if (scheme == "env") {
    if (!is_variable_name(rest)) return refused("env: is not followed by a variable's name");
    return {pin_location{pin_location::kind::environment, std::string(rest)}, {}};
  }
  if (scheme == "credential") {
    if (!is_credential_name(rest)) return refused("credential: is not followed by a file's name");
    return {pin_location{pin_location::kind::credential, std::string(rest)}, {}};
  }
  // Only words from this list are repeated: anything else could be part of a PIN with a colon in
  // it.
  constexpr std::array<std::string_view, 5> known = {"http", "https", "pkcs11", "ftp", "data"};
  if (std::find(known.begin(), known.end(), scheme) != known.end()) {
    return refused(scheme + ": is not supported as a source of PINs");
  }
  return refused("it names no kind of source that is supported");
}

std::string pin_source_text(const pin_location& location) {
  switch (location.where) {
    case pin_location::kind::file:
      return "file:" + location.name;
    case pin_location::kind::environment:
      return "env:" + location.name;
    case pin_location::kind::credential:
      return "credential:" + location.name;
  }
  return {};
}

}  // namespace hsmtls::pkcs11
