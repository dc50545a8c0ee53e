#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/library/tokens.hpp"
#include "cli/library/uri.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"
#include "cli/terminal/confirm.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  bool confirmed = false;
};

// Shows what it is before it is gone; what fits nothing or too much, the removal itself refuses.
void ask(access& in, const std::string& uri) {
  const std::vector<object> fitting = list_objects(in, uri, shown::all);
  if (fitting.size() != 1) return;
  const object& one = fitting[0];
  confirm(fmt::format("The {} {} will be gone for good.", one.class_name(), one.uri),
          one.label.empty() ? "yes" : one.label);
}

void run(const globals& all, const options& given) {
  // Before a PIN is asked for.
  if (!parsed(given.uri).type) {
    throw usage(
        "the URI of what is to be deleted must have a type: type=private, type=public or "
        "type=cert");
  }
  access in(all);
  if (!given.confirmed) ask(in, given.uri);
  in.use(given.uri, [&](const hsmtls_login* login) {
    checked(hsmtls_object_remove, given.uri.c_str(), in.module(), login);
  });
  if (all.json) {
    print_json({{"deleted", path_of(given.uri)}});
  } else {
    note(all, "deleted: " + path_of(given.uri));
  }
}

}  // namespace

void add_delete(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand("delete", "Destroy one object in a token");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The object; its type must be in it")->required();
  command->add_flag("--yes", given->confirmed, "Do not ask");
  command->footer(
      examples("  hsmtls delete 'pkcs11:token=edge;object=device-key;type=cert'\n"
               "  hsmtls delete 'pkcs11:token=edge;object=device-key;type=private' --yes"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
