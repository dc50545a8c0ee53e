// The name that a server's certificate must be for.
#pragma once

#include <string>

#include "core/keys/host/handles.hpp"

namespace hsmtls::tls {

// `demand_server_name` makes verification by `parameters` demand that name, or that address. Throws
// failure (BAD_ARGUMENT) for what is neither.
void demand_server_name(X509_VERIFY_PARAM* parameters, std::string name);

}  // namespace hsmtls::tls
