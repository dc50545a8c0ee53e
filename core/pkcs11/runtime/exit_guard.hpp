// A process that exits while threads still sign must neither crash nor hang.
#pragma once

namespace hsmtls::pkcs11 {

// `arm_exit_guard` registers a handler that, when the process exits, lets no call into a vendor's
// module any more and waits, bounded, for those inside. Exit handlers and destructors run in the
// reverse order of their registration: call it again after everything that may have registered
// some. It does not call C_Finalize: measured with SoftHSM, that does not help, and libcrypto may
// be gone by then.
void arm_exit_guard();

}  // namespace hsmtls::pkcs11
