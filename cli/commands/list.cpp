#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/library/tokens.hpp"
#include "cli/library/uri.hpp"
#include "cli/openssl/certificates.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"

namespace hsmtls::cli {
namespace {

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char one : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(one));
  return text;
}

json of(const object& one) {
  json made{{"class", one.class_name()},
            {"label", one.label},
            {"id", hexadecimal(one.id)},
            {"uri", one.uri},
            {"type", *one.type_name() != '\0' ? json(one.type_name()) : json()}};
  if (one.object_class == HSMTLS_OBJECT_PRIVATE_KEY) {
    made["local"] = (one.key_flags & HSMTLS_KEY_LOCAL) != 0;
    made["always_sensitive"] = (one.key_flags & HSMTLS_KEY_ALWAYS_SENSITIVE) != 0;
    made["never_extractable"] = (one.key_flags & HSMTLS_KEY_NEVER_EXTRACTABLE) != 0;
    made["always_authenticate"] = (one.key_flags & HSMTLS_KEY_ALWAYS_AUTHENTICATE) != 0;
  }
  if (const certificate read = certificate_in(one.value)) {
    made["type"] = key_text(X509_get0_pubkey(read.get()));
    made["subject"] = subject_of(read.get());
    made["issuer"] = issuer_of(read.get());
    made["not_before"] = time_text(X509_get0_notBefore(read.get()));
    made["not_after"] = time_text(X509_get0_notAfter(read.get()));
  }
  return made;
}

// What the last column says of an object.
std::string properties(const object& one) {
  if (const certificate read = certificate_in(one.value)) {
    return fmt::format("{}, issued by {}, until {}",
                       subject_of(read.get()),
                       issuer_of(read.get()),
                       time_text(X509_get0_notAfter(read.get())).substr(0, 10));
  }
  if (one.object_class != HSMTLS_OBJECT_PRIVATE_KEY) return "";
  const auto says = [&](uint32_t flag, const char* yes, const char* no) {
    return (one.key_flags & flag) != 0 ? yes : no;
  };
  return fmt::format(
      "{}, {}, {}{}",
      says(HSMTLS_KEY_LOCAL, "local", "not local"),
      says(HSMTLS_KEY_ALWAYS_SENSITIVE, "always sensitive", "not always sensitive"),
      says(HSMTLS_KEY_NEVER_EXTRACTABLE, "never extractable", "not never extractable"),
      says(HSMTLS_KEY_ALWAYS_AUTHENTICATE, ", PIN for each signature", ""));
}

std::string type_of(const object& one) {
  if (const certificate read = certificate_in(one.value))
    return key_text(X509_get0_pubkey(read.get()));
  return one.type_name();
}

void run(const globals& all, const std::string& uri) {
  access in(all);
  const bool may_have_pin = in.may_have_pin(uri);
  const std::vector<object> found =
      list_objects(in, uri, may_have_pin ? shown::all : shown::without_login);
  // A token with a PIN pad needs no PIN of us.
  const bool logged_in =
      in.has_pin(uri) || std::any_of(found.begin(), found.end(), [](const object& one) {
        return one.object_class == HSMTLS_OBJECT_PRIVATE_KEY;
      });
  if (all.json) {
    json list = json::array();
    for (const object& one : found) list.push_back(of(one));
    print_json({{"objects", list}, {"logged_in", logged_in}});
    return;
  }
  if (!found.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const object& one : found) {
      rows.push_back({one.class_name(),
                      one.label.empty() ? "-" : one.label,
                      one.id.empty() ? "-" : hexadecimal(one.id),
                      type_of(one),
                      properties(one)});
    }
    print_table({"CLASS", "LABEL", "ID", "TYPE", "PROPERTIES"}, rows);
  } else {
    note(all, "nothing in the token fits the URI");
  }
  if (!logged_in) {
    note(all,
         may_have_pin
             ? "(without a PIN, so no private objects: none was typed)"
             : "(without a PIN, so no private objects: there is no terminal to ask on, and "
               "neither --pin-source nor HSMTLS_PIN_SOURCE)");
  }
}

}  // namespace

void add_list(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand("list", "Show what is in a token");
  const auto uri = std::make_shared<std::string>();
  command->add_option("URI", *uri, "The token, or what in it")->required();
  command->footer(
      examples("  hsmtls list pkcs11:token=edge\n"
               "  hsmtls list 'pkcs11:token=edge;type=cert'\n"
               "  hsmtls list pkcs11:token=edge --pin-source file:/etc/edge/pin --json"));
  command->callback([&all, uri] { run(all, *uri); });
}

}  // namespace hsmtls::cli
