// A libcrypto that was loaded into a program with a libcrypto of its own.
#pragma once

#include <string>

namespace hsmtls::pkcs11 {

// `mixed_libcrypto` tells why a vendor's module that was just loaded deeply must not be called: the
// libcrypto that it uses was in the process before, and so its functions call the main program's of
// the same names, which is of another version. That ends in a crash (seen: Node.js 24 and the system's
// 3.0). Empty: nothing speaks against it.
std::string mixed_libcrypto(void* vendor_library);

}  // namespace hsmtls::pkcs11
