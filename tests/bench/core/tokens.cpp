#include "tests/bench/core/tokens.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hsmtls::bench {
namespace {

namespace fs = std::filesystem;

// A folder in memory, where there is such a thing, that goes with the object.
class folder_in_memory {
 public:
  explicit folder_in_memory(const fs::path& otherwise)
      : path_((fs::exists("/dev/shm") ? fs::path("/dev/shm") : otherwise) /
              fmt::format("hsmtls-bench-{}", getpid())) {
    fs::create_directory(path_);
  }
  ~folder_in_memory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  folder_in_memory(const folder_in_memory&) = delete;
  folder_in_memory& operator=(const folder_in_memory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

softhsm_keys::softhsm_keys(std::string vendor) : vendor_(std::move(vendor)) {
  token_.generate_ec_p256("ec", "01");
  token_.generate_rsa_2048("rsa", "02");
}

environment softhsm_keys::with(environment extra) const {
  extra["SOFTHSM2_CONF"] = token_.configuration();
  return extra;
}

void softhsm_keys::fill(int keys) const {
  // SoftHSM truncates a key's files some sixty times, and most file systems write to the disk then.
  const folder_in_memory meanwhile(token_.folder());
  const fs::path tokens = token_.folder() / "tokens";
  const fs::path copy = meanwhile.path() / "tokens";
  const fs::path configuration = meanwhile.path() / "softhsm2.conf";
  constexpr auto everything = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
  fs::copy(tokens, copy, everything);
  std::ofstream(configuration) << "directories.tokendir = " << copy.string() << '\n';
  worker_process filler(ec().setup("fill", ""), {{"SOFTHSM2_CONF", configuration}});
  filler.ask({{"keys", keys}});
  filler.finish();
  fs::copy(copy, tokens, everything);
}

}  // namespace hsmtls::bench
