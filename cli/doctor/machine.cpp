#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "cli/doctor/steps.hpp"
#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::cli {
namespace {

namespace fs = std::filesystem;

// The files that somebody named; none: what p11-kit has registered is used.
std::vector<std::string> named_modules(const globals& all) {
  if (!all.module.empty()) return {all.module};
  const char* const configured = std::getenv("HSMTLS_MODULE");
  std::vector<std::string> files;
  std::string text = configured != nullptr ? configured : "";
  while (!text.empty()) {
    const size_t end = std::min(text.find(':'), text.size());
    if (end > 0) files.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  return files;
}

bool check_file(checklist& list, const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    list.fails("module-file",
               fmt::format("'{}': {}", file, std::strerror(errno)),
               "name the file of your token's vendor with --module or HSMTLS_MODULE, for example "
               "/usr/lib/softhsm/libsofthsm2.so");
    return false;
  }
  list.holds("module-file", fmt::format("'{}' is there", file));
  return true;
}

bool check_module(checklist& list, const char* file) {
  try {
    const std::vector<token> found = list_tokens(file);
    std::set<std::string> files;
    for (const token& one : found) files.insert(one.module);
    std::string names;
    for (const std::string& one : files) names += (names.empty() ? "" : ", ") + one;
    if (found.empty()) {
      list.warns("module",
                 file != nullptr ? "it loads, and no slot of it has a token"
                                 : "no registered module has a token",
                 "check that the token is plugged in and its service runs");
    } else {
      list.holds("module", fmt::format("{} loads; slots with a token: {}", names, found.size()));
    }
    return true;
  } catch (const problem& why) {
    list.fails("module", why);
    return false;
  }
}

fs::path own_library() {
  Dl_info found{};
  std::error_code ignored;
  if (dladdr(reinterpret_cast<void*>(&hsmtls_version), &found) == 0) return {};
  return fs::weakly_canonical(found.dli_fname, ignored);
}

}  // namespace

void check_openssl(checklist& list) {
  list.holds("openssl", fmt::format("hsmtls {}, {}", hsmtls_version(), hsmtls_openssl_where()));
}

bool check_modules(checklist& list, const patient& of) {
  const std::vector<std::string> files = named_modules(of.all);
  if (files.empty()) {
    list.notes(
        "module-file",
        "neither --module nor HSMTLS_MODULE: the modules that p11-kit has registered are used");
    return check_module(list, nullptr);
  }
  bool usable = false;
  for (const std::string& file : files)
    usable = (check_file(list, file) && check_module(list, file.c_str())) || usable;
  return usable;
}

void check_stock_programs(checklist& list) {
  const char* const variable = std::getenv("OPENSSL_MODULES");
  const char* const built_in = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
  const fs::path looked_in = variable != nullptr ? variable : built_in != nullptr ? built_in : "";
  const fs::path ours = own_library().parent_path() / "ossl-modules" / "hsmtls.so";
  std::error_code ignored;
  if (fs::exists(looked_in / "hsmtls.so", ignored)) {
    list.holds("stock-programs",
               fmt::format("OpenSSL finds {}", (looked_in / "hsmtls.so").string()));
  } else {
    list.notes(
        "stock-programs",
        fmt::format("OpenSSL looks for providers in {}, which has no hsmtls.so: for curl, nginx "
                    "and the like write `module = {}` into the provider's section",
                    looked_in.string(),
                    ours.string()));
  }
  char* const file = CONF_get1_default_config_file();
  const std::string configuration = file != nullptr ? file : "";
  OPENSSL_free(file);
  if (OSSL_PROVIDER_available(nullptr, "hsmtls") == 1) {
    list.holds("openssl-cnf", fmt::format("{} activates the provider hsmtls", configuration));
  } else {
    const fs::path installed =
        own_library().parent_path().parent_path() / "share/hsmtls/openssl.cnf";
    list.notes(
        "openssl-cnf",
        fmt::format("{} does not activate the provider hsmtls: only programs that use hsmtls's "
                    "own interfaces have the key{}",
                    configuration,
                    fs::exists(installed, ignored)
                        ? ", and those that run with OPENSSL_CONF=" + installed.string()
                        : ""));
  }
}

}  // namespace hsmtls::cli
