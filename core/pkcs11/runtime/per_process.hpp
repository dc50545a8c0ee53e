// Something that exists once per process and anew in a forked child, beside the runtime.
#pragma once

#include <atomic>
#include <memory>

#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11 {

// `per_process<Thing>` returns this process's Thing, made by make(runtime&) -> unique_ptr<Thing>
// when it is first asked for. Never destroyed; a parent's stays behind in the child, untouched: its
// locks may be held for ever.
template <class Thing, class Make>
Thing& per_process(Make&& make) {
  struct entry {
    runtime* process;
    std::unique_ptr<Thing> thing;
  };
  static std::atomic<entry*> known{nullptr};
  runtime& process = runtime::current();
  entry* existing = known.load();
  if (existing != nullptr && existing->process == &process) return *existing->thing;
  std::unique_ptr<entry> fresh(new entry{&process, make(process)});
  if (known.compare_exchange_strong(existing, fresh.get())) return *fresh.release()->thing;
  return *existing->thing;
}

}  // namespace hsmtls::pkcs11
