#include "core/keys/token/modules.hpp"

#include <errno.h>  // program_invocation_short_name
#include <sys/auxv.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "core/keys/host/fork_locks.hpp"
#include "core/keys/token/face.hpp"
#include "core/keys/token/log.hpp"

namespace hsmtls::keys {
namespace {

namespace fs = std::filesystem;

using fields = std::map<std::string, std::string>;

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// One `.module` file: lines of "name: value", '#' before a comment.
void read_fields(const fs::path& file, fields& into) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    const std::string text = trimmed(line);
    const size_t colon = text.find(':');
    if (text.empty() || text[0] == '#' || colon == std::string::npos) continue;
    into[trimmed(text.substr(0, colon))] = trimmed(text.substr(colon + 1));
  }
}

bool lists(const std::string& list, const std::string& program) {
  std::string word;
  for (const char one : list + ",") {
    if (one != ',' && one != ' ' && one != '\t') {
      word += one;
    } else if (!word.empty()) {
      if (word == program) return true;
      word.clear();
    }
  }
  return false;
}

bool is_for(const fields& module, const std::string& program) {
  const auto only = module.find("enable-in");
  if (only != module.end()) return lists(only->second, program);
  const auto never = module.find("disable-in");
  return never == module.end() || !lists(never->second, program);
}

// What must not be loaded behind ours: through libp11-kit a C_Finalize never reaches the vendor, and
// our own front module has ours behind it.
bool is_no_vendor(const std::string& file) {
  const std::string name = fs::path(file).filename();
  return name.rfind("p11-kit-", 0) == 0 || name.rfind("libp11-kit", 0) == 0 ||
         name.rfind("libhsmtls-", 0) == 0;
}

int priority_of(const fields& module) {
  const auto found = module.find("priority");
  return found != module.end() ? std::atoi(found->second.c_str()) : 0;
}

std::vector<std::string> usual_folders() {
  std::vector<std::string> all{"/usr/share/p11-kit/modules", "/etc/pkcs11/modules"};
  // The user's own count as they do for p11-kit: not for root, not in a set-uid program.
  const char* const home = std::getenv("HOME");
  if (home != nullptr && getauxval(AT_SECURE) == 0 && getauxval(AT_EUID) != 0) {
    all.push_back(std::string(home) + "/.config/pkcs11/modules");
  }
  return all;
}

void add(const std::string& file) {
  checked(face().module_add, file.c_str());
}

void add_registered() {
  static std::atomic<bool> added{false};
  if (added) return;
  const std::lock_guard lock(host::making_lock());
  if (added) return;
  for (const std::string& file : registered_modules(
           usual_folders(), HSMTLS_PKCS11_MODULES_FOLDER, program_invocation_short_name)) {
    try {
      add(file);
    } catch (const failure& problem) {
      log_warning("module_left_out", {"module", file, "problem", problem.message()});
    }
  }
  added = true;
}

}  // namespace

std::vector<std::string> registered_modules(const std::vector<std::string>& folders,
                                            const std::string& modules_folder,
                                            const std::string& program) {
  std::map<std::string, fields> by_name;
  for (const std::string& folder : folders) {
    std::error_code ignored;
    for (const fs::directory_entry& one : fs::directory_iterator(folder, ignored)) {
      if (one.path().extension() == ".module") read_fields(one.path(), by_name[one.path().stem()]);
    }
  }
  std::vector<std::pair<int, std::string>> found;
  for (auto& [name, module] : by_name) {
    const std::string& file = module["module"];
    if (file.empty() || module.count("remote") != 0 || is_no_vendor(file) ||
        !is_for(module, program)) {
      continue;
    }
    found.emplace_back(-priority_of(module), file[0] == '/' ? file : modules_folder + "/" + file);
  }
  std::stable_sort(
      found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> files;
  files.reserve(found.size());
  for (auto& [priority, file] : found) files.push_back(std::move(file));
  return files;
}

void use_modules(const std::string& module) {
  if (!module.empty()) {
    add(module);
  } else if (face().modules_configured() == 0) {
    add_registered();
  }
}

}  // namespace hsmtls::keys
