#include "core/pkcs11/vendor/quirks.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct row {
  std::string_view manufacturer;  // start of CK_INFO.manufacturerID; empty: any
  std::string_view description;   // start of CK_INFO.libraryDescription; empty: any
  quirks what;
};

constexpr row table[] = {
    // tpm2-pkcs11 1.9.0 on swtpm, measured: a child that signs, initialises or finalises makes its
    // parent fail with "HMAC check failed and DA counter incremented"; after a TPM reset every
    // session still looks alive and only C_Finalize + C_Initialize + C_Login helps (C_Login alone:
    // CKR_GENERAL_ERROR).
    {"tpm2-software.github.io",
     "TPM2.0 Cryptoki",
     {.name = "tpm2-pkcs11", .dies_on_fork = true, .reset_hides_behind_general_error = true}},
    // SoftHSM 2.6.1, measured: in a forked child C_Initialize returns
    // CKR_CRYPTOKI_ALREADY_INITIALIZED and the parent's sessions and login are there, a copy of its
    // memory; what the child does to them the parent does not notice.
    {"SoftHSM", "", {.name = "SoftHSM", .inherits_over_fork = true}},
    // p11-kit 0.24, measured: while an application holds a module through libp11-kit, C_Finalize
    // returns CKR_OK without reaching the vendor. Name the vendor's module directly.
    {"PKCS#11 Kit", "", {.name = "p11-kit", .forwards_finalise_nowhere = true}},
};

}  // namespace

quirks quirks_of(std::string_view manufacturer, std::string_view description) {
  for (const row& one : table) {
    if (manufacturer.starts_with(one.manufacturer) && description.starts_with(one.description)) {
      return one.what;
    }
  }
  return {};
}

}  // namespace hsmtls::pkcs11
