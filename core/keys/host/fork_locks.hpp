// Locks that a forked child finds free, whatever the parent's other threads held at the fork.
#pragma once

#include <mutex>

namespace hsmtls::host {

// `instant_lock` is for what is looked at or changed at once, with no call to anybody else and no
// other lock of ours taken: a fork waits for it, so that a child never sees a change half done.
std::mutex& instant_lock();

// `making_lock` is for what is made once in a process, which may take long and call others. No fork
// waits for it: a child gets a fresh one, and makes what it does not find.
std::mutex& making_lock();

}  // namespace hsmtls::host
