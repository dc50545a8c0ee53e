// Processor instructions of a piece of work: the same number on a busy machine and on an idle one.
#pragma once

#include <string>

#include "tests/bench/common/worker_process.hpp"

namespace hsmtls::bench {

// `instructions_of` starts that worker under callgrind and has it answer {"do": …, "times": N}; the
// difference of two runs is what one time costs, since whatever happens once cancels out. Throws
// std::runtime_error where callgrind cannot run.
double instructions_of(const json& setup, const environment& extra, const json& request);

extern const std::string instructions_note;

}  // namespace hsmtls::bench
