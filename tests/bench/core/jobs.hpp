// What the workers of this program do. {"job": …} says which; the rest of a setup is where the key is
// (key.hpp) and what the job's own comment says.
#pragma once

#include <memory>

#include "tests/bench/common/worker.hpp"

namespace hsmtls::bench {

std::unique_ptr<job> make_job(const json& setup);

// {"job": "sign", "scheme": "ecdsa" | "pkcs1" | "pss"}: signs a message, or as the kind "bare" a
// digest, as common/timed.hpp says.
std::unique_ptr<job> make_sign_job(const json& setup);

// {"job": "handshake", "version": "1.2" | "1.3"}: mutual TLS as a client with that key;
// {"resumed": bool} and what common/timed.hpp says.
std::unique_ptr<job> make_handshake_job(const json& setup);

// {"job": "calls"}: {"role": "client" | "server", "version": …} is answered with the PKCS#11 calls of
// {"full", "resumed"}. Under the chaos module.
std::unique_ptr<job> make_calls_job(const json& setup);

// {"job": "open", "kind": …}: opens the key each time it is asked, and keeps it; {"ms"}, and {"calls"}
// under the chaos module. Kinds besides those of key.hpp: "certificate", an identity whose
// certificate is in the token, and "list", an application that lists all keys.
std::unique_ptr<job> make_open_job(const json& setup);

// {"job": "prepare"}: puts a certificate for the key into its token.
// {"job": "fill"}: makes {"keys": N} more keys in the token.
std::unique_ptr<job> make_prepare_job(const json& setup);
std::unique_ptr<job> make_fill_job(const json& setup);

// {"job": "memory"}: {"what": "identities" | a kind of key, "count": N} is answered with {"bytes"} of
// each.
std::unique_ptr<job> make_memory_job(const json& setup);

}  // namespace hsmtls::bench
