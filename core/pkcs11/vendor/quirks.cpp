#include "core/pkcs11/vendor/quirks.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct row {
  std::string_view manufacturer;  // start of CK_INFO.manufacturerID; empty: any
  std::string_view description;   // start of CK_INFO.libraryDescription; empty: any
  quirks what;
};

constexpr row table[] = {
    // tpm2-pkcs11 1.9.0. Names: its src/lib/general.c (LIBRARY_MANUFACTURER, LIBRARY_DESCRIPTION).
    // Fork: src/lib/token.c starts one HMAC session with the TPM at the login
    // (tpm_session_start) and keeps it, with its nonces, in memory that fork copies; who of
    // parent and child uses it first invalidates it for the other. Measured on swtpm: a child that
    // signs, initialises or finalises makes its parent fail with "HMAC check failed and DA counter
    // incremented". What we make of it: ForkWithTpm2.* and ForkBeforeTpm2.* (fork_test.cpp).
    // Reset: the same session and the handles of loaded keys (tobject.tpm_handle, token.c's
    // token_load_object) are kept across it, as nothing there asks the TPM. Measured on swtpm:
    // every session still looks alive, C_Login gives CKR_GENERAL_ERROR, and only C_Finalize +
    // C_Initialize + C_Login helps. What we make of it: RecoveryOfTpm2.* (recovery_test.cpp).
    {"tpm2-software.github.io",
     "TPM2.0 Cryptoki",
     {.name = "tpm2-pkcs11", .dies_on_fork = true, .reset_hides_behind_general_error = true}},
    // SoftHSM 2.6.1. Names: C_GetInfo in its src/lib/SoftHSM.cpp. Fork:
    // https://github.com/softhsm/SoftHSMv2/pull/513 ("duplicates its whole state"; the option
    // library.reset_on_fork, off by default, came of it). In a child C_Initialize returns
    // CKR_CRYPTOKI_ALREADY_INITIALIZED and the parent's sessions and login are there, a copy of its
    // memory; what the child does to them the parent does not notice. Shown by ForkOverSoftHsm.*
    // (softhsm_process_test.cpp).
    {"SoftHSM", "", {.name = "SoftHSM", .inherits_over_fork = true}},
    // p11-kit 0.24. Names: MANUFACTURER_ID in its p11-kit/proxy.c. C_Finalize of the proxy counts a
    // reference down there, and each module's in p11-kit/modules.c (the function that
    // finalises a module: "if (--mod->ref_count > 0) return CKR_OK"): while anybody else in the
    // process holds a module through libp11-kit, the vendor is not reached. Shown by
    // NamedP11KitProxy.* (p11_kit_test.cpp). Name the vendor's module directly.
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
