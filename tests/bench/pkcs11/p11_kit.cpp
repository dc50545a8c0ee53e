#include "tests/bench/pkcs11/p11_kit.hpp"

#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace hsmtls::bench {
namespace {

void give_to(const std::filesystem::path& folder, uid_t user) {
  const auto give = [user](const std::filesystem::path& file) {
    if (lchown(file.c_str(), user, static_cast<gid_t>(-1)) != 0) {
      throw std::runtime_error("cannot change the owner of " + file.string());
    }
  };
  give(folder);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    give(entry.path());
}

std::filesystem::path configure(const test::softhsm_token& token, const std::string& vendor) {
  auto root = token.folder() / "config";
  std::filesystem::create_directories(root / "pkcs11" / "modules");
  std::ofstream(root / "pkcs11" / "pkcs11.conf") << "user-config: only\n";
  std::ofstream(root / "pkcs11" / "modules" / "softhsm.module") << "module: " << vendor << '\n';
  return root;
}

}  // namespace

std::unique_ptr<worker_process> start_over_p11_kit(worker_options with,
                                                   const test::softhsm_token& token,
                                                   const std::string& vendor) {
  with.where.module = HSMTLS_BENCH_P11_KIT_PROXY;
  if (with.where.module.empty())
    throw std::runtime_error("p11-kit's .pc file was not there at build time");
  if (!std::filesystem::exists(with.where.module))
    throw std::runtime_error("no " + with.where.module);
  const auto config = configure(token, vendor);
  const environment extra = {{"XDG_CONFIG_HOME", config}, {"HOME", config}};
  if (geteuid() != 0) return std::make_unique<worker_process>(with.setup(), extra);

  const passwd* nobody = getpwnam("nobody");
  if (nobody != nullptr) {
    const std::string user = std::to_string(nobody->pw_uid);
    const std::string group = std::to_string(nobody->pw_gid);
    give_to(token.folder(), nobody->pw_uid);
    try {
      return std::make_unique<worker_process>(with.setup(),
                                              extra,
                                              std::vector<std::string>{"setpriv",
                                                                       "--reuid=" + user,
                                                                       "--regid=" + group,
                                                                       "--clear-groups",
                                                                       "--no-new-privs"});
    } catch (const std::runtime_error&) {
      give_to(token.folder(), 0);
    }
  }
  return std::make_unique<worker_process>(
      with.setup(),
      extra,
      std::vector<std::string>{"unshare", "--user", "--map-user=1000", "--map-group=1000"});
}

}  // namespace hsmtls::bench
