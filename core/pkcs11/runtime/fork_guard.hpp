// A process that forks while threads are inside a vendor's module: the child must not inherit
// locked locks.
#pragma once

namespace hsmtls::pkcs11 {

// `arm_fork_guard` registers handlers that, before a fork, let no call into a vendor's module any
// more and wait, bounded, for those inside; afterwards the parent goes on and the child starts with
// nothing. What is prepared for a fork runs in the reverse order of its registration: call it again
// after everything that may have registered handlers that take locks which calls inside need to
// come out.
void arm_fork_guard();

}  // namespace hsmtls::pkcs11
