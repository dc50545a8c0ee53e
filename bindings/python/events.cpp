// Events on their way from the threads on which they happen, which must not wait for the GIL, to the one
// Python thread that tells them.
#include <pybind11/stl.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <tuple>

#include "bindings/python/core.hpp"

namespace hsmtls::python {
namespace {

using told = std::tuple<uintptr_t, uint32_t, uint32_t, uint64_t>;

// Signatures beyond these are not told: whoever listens is too slow.
constexpr size_t most_signatures_waiting = 4096;

struct event_queue {
  std::atomic<uint32_t> wanted{0};  // bits 1 << hsmtls_event_type
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<told> waiting;
  bool ended = false;
};
// Never freed: threads may still sign while the process exits.
std::atomic<event_queue*> current{new event_queue};

// Waits for the next event; nothing once `end_events` was called.
std::optional<told> next_event() {
  const without_gil waiting;
  event_queue& queue = *current.load();
  std::unique_lock lock(queue.mutex);
  queue.changed.wait(lock, [&] { return queue.ended || !queue.waiting.empty(); });
  if (queue.ended) return std::nullopt;
  const told next = queue.waiting.front();
  queue.waiting.pop_front();
  return next;
}

void end_events() {
  event_queue& queue = *current.load();
  const std::lock_guard lock(queue.mutex);
  queue.ended = true;
  queue.changed.notify_all();
}

}  // namespace

void tell_event(void* identity, const hsmtls_event* event) {
  event_queue& queue = *current.load();
  if ((queue.wanted & 1U << event->type) == 0) return;
  const std::lock_guard lock(queue.mutex);
  if (event->type == HSMTLS_EVENT_SIGNED && queue.waiting.size() >= most_signatures_waiting) return;
  const auto number = reinterpret_cast<uintptr_t>(identity);
  queue.waiting.emplace_back(number, event->type, event->mechanism, event->microseconds);
  queue.changed.notify_one();
}

void add_events(py::module_& module) {
  module.def("want_event", [](uint32_t type) { current.load()->wanted |= 1U << type; });
  module.def("next_event", &next_event);
  module.def("end_events", &end_events);
  // In a forked child: a thread that is not there any more may have held the lock.
  module.def("forget_events", [] { current = new event_queue; });
}

}  // namespace hsmtls::python
