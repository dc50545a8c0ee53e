#include <utility>

#include "core/pkcs11/uri/attributes.hpp"
#include "core/pkcs11/uri/percent.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr std::string_view redaction = "redacted";

class writer {
 public:
  writer(bool redact, std::size_t capacity) : redact_(redact) {
    text_.reserve(capacity);
    text_ += "pkcs11:";
  }

  void path(std::string_view name, std::string_view text) {
    begin_path(name);
    append(name, text, path_chars, '&');
  }

  // For what holds no character that needs encoding.
  void path_raw(std::string_view name, std::string_view raw) {
    begin_path(name);
    text_ += raw;
  }

  void path_bytes(std::string_view name, const std::vector<std::uint8_t>& bytes) {
    begin_path(name);
    for (const std::uint8_t byte : bytes) text_ += percent_encoded(byte);
  }

  void query(std::string_view name, std::string_view text) {
    begin(name, std::exchange(in_query_, true) ? "&" : "?");
    append(name, text, query_chars, '?');
  }

  std::string take() { return std::move(text_); }

 private:
  void begin_path(std::string_view name) { begin(name, std::exchange(in_path_, true) ? ";" : ""); }

  void begin(std::string_view name, std::string_view delimiter) {
    text_ += delimiter;
    text_ += name;
    text_ += '=';
  }

  // Straight into the result: a temporary would be one more copy of a PIN.
  void append(std::string_view name,
              std::string_view text,
              const char_set& allowed,
              char mistaken) {
    if (redact_ && names_a_pin(name)) {
      text_ += redaction;
      return;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      // `parse_uri` refuses what looks like a mistaken delimiter.
      const bool misread = text[i] == mistaken && looks_like_query_name(text.substr(i + 1));
      if (allowed.has(text[i]) && !misread) {
        text_ += text[i];
      } else {
        text_ += percent_encoded(static_cast<unsigned char>(text[i]));
      }
    }
  }

  bool redact_;
  std::string text_;
  bool in_path_ = false;
  bool in_query_ = false;
};

void write_texts(const uri& from, std::string_view family, writer& out) {
  for (const text_attribute& attribute : text_attributes) {
    const auto& value = from.*(attribute.member);
    if (value && attribute.family == family) out.path(attribute.name, *value);
  }
}

std::string written(const uri& from, bool redact, std::size_t capacity) {
  writer out(redact, capacity);
  write_texts(from, "token", out);
  if (from.slot_id) out.path_raw("slot-id", std::to_string(*from.slot_id));
  write_texts(from, "slot", out);
  write_texts(from, "library", out);
  if (const auto& version = from.library_version) {
    out.path_raw("library-version",
                 std::to_string(version->major_part) + "." + std::to_string(version->minor_part));
  }
  write_texts(from, "object", out);
  if (from.id) out.path_bytes("id", *from.id);
  if (from.type) out.path_raw("type", type_name(*from.type));
  for (const auto& [name, value] : from.vendor) out.path(name, value);

  if (from.pin_source) out.query("pin-source", pin_source_text(*from.pin_source));
  if (from.pin_value) out.query("pin-value", from.pin_value->view());
  if (from.module_name) out.query("module-name", *from.module_name);
  if (from.module_path) out.query("module-path", *from.module_path);
  for (const auto& [name, value] : from.vendor_query) out.query(name, value);
  return out.take();
}

}  // namespace

std::string build_uri(const uri& from) {
  if (!from.pin_value) return written(from, false, 0);
  // Room for all of it at once, so that no reallocation leaves a copy of the PIN: what vendors' own
  // PINs take is left to chance.
  const std::size_t capacity = redacted_uri(from).size() + 3 * from.pin_value->view().size();
  return written(from, false, capacity);
}

std::string redacted_uri(const uri& from) {
  return written(from, true, 0);
}

}  // namespace hsmtls::pkcs11
