// Where a loaded library's calls go.
#pragma once

namespace hsmtls::legacy {

// `bound_symbol` returns the address that `library` (of dlopen) calls as `name`: what the dynamic
// loader wrote into its table of functions. Null: it calls none of that name through that table. An
// address inside of `library` itself: the first call will tell (RTLD_LAZY).
//
// Not dlsym: which of two copies a library is bound to depends on scopes that only the loader knows.
const void* bound_symbol(void* library, const char* name);

}  // namespace hsmtls::legacy
