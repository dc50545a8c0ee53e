// Properties of URIs that hold for every input: nothing crashes, what was read can be written and
// read again, and no PIN gets out.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/base/utf8.hpp"
#include "core/pkcs11/uri/near_miss.hpp"
#include "core/pkcs11/uri/percent.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace {

using namespace hsmtls::pkcs11;

// Wherever it shows up it came from the PIN: inputs that hold it themselves are left out.
constexpr std::string_view marker = "Zq9kW2vYxLp7";

void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", property);
  std::abort();
}

bool tells(std::string_view text) {
  return text.find(marker) != std::string_view::npos;
}

// libFuzzer learns the marker from the comparisons it watches, and may hide it in escapes.
bool holds_marker(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && text.size() - i > 2 && hex_value(text[i + 1]) >= 0 &&
                        hex_value(text[i + 2]) >= 0;
    decoded +=
        escape ? static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return tells(text) || tells(decoded);
}

void round_trip(const uri& read) {
  const std::string written = build_uri(read);
  const uri_result again = parse_uri(written);
  require(again && *again.value == read, "parse(build(x)) == x");
  require(build_uri(*again.value) == written, "one URI is written in one way");
  require(equivalent(read, *again.value), "equal URIs are equivalent");
}

void redaction(uri read) {
  const std::string redacted = redacted_uri(read);
  require(parse_uri(redacted).value.has_value(), "a redacted URI is a URI");
  if (!read.pin_value) return;
  read.pin_value = secret_text(marker);
  require(redacted_uri(read) == redacted, "redacted() does not depend on the PIN");
  require(!tells(redacted_uri(read)), "redacted() does not hold the PIN");
}

void sentences(const uri& read) {
  const token_description token{"edge", "1234", "model", "maker", 1};
  const std::vector<object_attributes> objects = {{CKO_PRIVATE_KEY, {1}, "device"},
                                                  {CKO_PRIVATE_KEY, {2}, "device\xFF\x1B"},
                                                  {CKO_CERTIFICATE, {1}, ""}};
  std::vector<located_object> located;
  located.reserve(objects.size());
  for (const object_attributes& object : objects) located.push_back({token, object});
  matches_token(read, token);
  matches_object(read, objects[0]);
  for (const std::string& sentence : {token_near_miss(read, std::vector{token}),
                                      object_near_miss(read, token, objects),
                                      ambiguous_tokens(read, std::vector{token, token}),
                                      ambiguous_objects(read, located)}) {
    require(!first_non_text(sentence), "a sentence is UTF-8");
    require(!tells(sentence), "a sentence does not hold the PIN");
  }
}

void refusal(const uri_problem& problem, std::string_view text) {
  require(problem.code != uri_errc::none && !problem.message.empty(), "a refusal says why");
  require(problem.offset <= text.size(), "a refusal points into the text");
  require(!first_non_text(problem.message), "a refusal is UTF-8");
}

// The same text with a PIN at its end, read as whatever the text before makes of it.
void hidden_pin(std::string_view text) {
  for (const std::string_view delimiter : {"?", "&", ";"}) {
    const std::string with_pin =
        std::string(text) + std::string(delimiter) + "pin-value=" + std::string(marker);
    const uri_result result = parse_uri(with_pin);
    if (!result) {
      require(!tells(result.problem.message), "a refusal does not hold the PIN");
    } else if (result.value->pin_value) {
      redaction(*result.value);
      sentences(*result.value);
    }
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer looks for
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (holds_marker(text)) return 0;
  const uri_result result = parse_uri(text);
  if (result) {
    round_trip(*result.value);
    redaction(*result.value);
    sentences(*result.value);
  } else {
    refusal(result.problem, text);
  }
  hidden_pin(text);
  return 0;
}
