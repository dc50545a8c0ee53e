// A SoftHSM token of one's own.
#pragma once

#include <filesystem>
#include <string>

namespace hsmtls::test {

// `softhsm_module` returns SoftHSM's PKCS#11 file, or an empty string where it is not installed
// (a test then skips itself).
std::string softhsm_module();

struct softhsm_options {
  std::string label = "edge";
  std::string user_pin = "1234";
  std::string so_pin = "so-1234";
};

// `softhsm_token` makes a token in a fresh folder below HSMTLS_TEST_SCRATCH and points
// SOFTHSM2_CONF at it; the folder goes with the object. All administration happens in child
// processes: the test's own SoftHSM, loaded or not, is never touched. Constructor and functions
// throw std::runtime_error.
class softhsm_token {
 public:
  explicit softhsm_token(softhsm_options options = {});
  ~softhsm_token();
  softhsm_token(const softhsm_token&) = delete;
  softhsm_token& operator=(const softhsm_token&) = delete;

  const std::string& label() const { return options_.label; }
  const std::string& user_pin() const { return options_.user_pin; }
  const std::string& so_pin() const { return options_.so_pin; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path configuration() const { return folder_ / "softhsm2.conf"; }

  // `id` in hexadecimal digits ("01", "" for none).
  void generate_ec_p256(const std::string& key_label, const std::string& id) const;
  void generate_rsa_2048(const std::string& key_label, const std::string& id) const;

  // `add_token` makes another token in the same SoftHSM, with the same PINs, and returns its folder.
  [[nodiscard]] std::filesystem::path add_token(const std::string& label) const;

  // `move_away` renames the token's folder, which looks like a token that was pulled out;
  // `move_back` undoes it.
  void move_away() const;
  void move_back() const;

 private:
  void admin(const std::string& what,
             const std::string& token_label,
             const std::string& key_label,
             const std::string& id) const;

  softhsm_options options_;
  std::filesystem::path folder_;
};

}  // namespace hsmtls::test
