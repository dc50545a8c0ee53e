// What is measured of libhsmtls.so. Each function prints a table, and returns the same as JSON and
// the bars it was held against.
#pragma once

#include "tests/bench/common/bars.hpp"
#include "tests/bench/common/program.hpp"

namespace hsmtls::bench {

// PKCS#11 calls of a handshake, full and resumed, for each kind of key, version and role.
json measure_calls(const common_options& with, bars& reached);

// PKCS#11 calls and time to open a key in a token with few keys and with many, beside libp11's engine
// and an application that lists all keys.
json measure_opening(const common_options& with, bars& reached);

// Microseconds of a signature: bare C_Sign, each kind of EVP_PKEY of ours, libp11's engine, software.
json measure_signatures(const common_options& with, bars& reached);

// Processor instructions that a signature through an EVP_PKEY costs on top.
json measure_added_work(const common_options& with, bars& reached);

// Handshakes per second and microseconds per handshake, both ends in memory.
json measure_handshakes(const common_options& with, bars& reached);

// Signatures per second by an EVP_PKEY with a token that takes 50 ms for each and has few sessions.
json measure_slow_token(const common_options& with, bars& reached);

// Bytes of an open identity and of a key that is handed out.
json measure_memory(const common_options& with, bars& reached);

}  // namespace hsmtls::bench
