// Reading memory that may not be there.
#pragma once

#include <cstddef>

namespace hsmtls::tls {

// `read_carefully` copies `length` bytes (at most a page) from an address that somebody claims to be an
// object. False where there is nothing to read: no signal is raised.
bool read_carefully(const void* from, void* to, size_t length) noexcept;

}  // namespace hsmtls::tls
