// A worker's work against the clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "tests/bench/common/bars.hpp"

namespace hsmtls::bench {

// One piece of work, of the thread with that number. Throws if it cannot be done.
using piece_of_work = std::function<void(std::size_t thread)>;

// `work_for` has so many threads work for so long; `work_times` works so often, in this thread. Both
// return {"done": N, "seconds": S, "cpu_seconds": S}.
json work_for(std::size_t threads, std::chrono::milliseconds how_long, const piece_of_work& work);
json work_times(std::uint64_t count, const piece_of_work& work);

// `timed_work` does what {"threads": N, "ms": N} or {"times": N} asks for.
json timed_work(const json& request, const piece_of_work& work);

}  // namespace hsmtls::bench
