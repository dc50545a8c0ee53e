// p11-kit's way to SoftHSM: a p11-kit configuration of our own that lists nothing else.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/common/worker_process.hpp"
#include "tests/bench/pkcs11/worker.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {

// `start_over_p11_kit` starts a worker on p11-kit-proxy. p11-kit ignores the configuration of root,
// so root's worker runs as the user nobody, or where that one may not enter the build folder, as
// another user in a user namespace. Throws std::runtime_error with the reason where nothing works.
std::unique_ptr<worker_process> start_over_p11_kit(worker_options with,
                                                   const test::softhsm_token& token,
                                                   const std::string& vendor);

}  // namespace hsmtls::bench
