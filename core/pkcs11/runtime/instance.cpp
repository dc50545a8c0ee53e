#include "core/pkcs11/runtime/instance.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::pkcs11 {

using shared = process_wide<instance_tag>;

void publish(const instance_record& mine) {
  const instance_record* nobody = nullptr;
  shared::first.compare_exchange_strong(nobody, &mine);
}

const instance_record* owner() {
  const instance_record* first = shared::first.load();
  if (first != nullptr && first->abi_version == instance_abi_version) return first;
  static std::atomic<bool> said{false};
  if (!said.exchange(true)) {
    Dl_info here{};
    dladdr(reinterpret_cast<const void*>(&owner), &here);
    log::complain(fmt::format(
        "two versions of libhsmtls-pkcs11.so in one process: {} came first (ABI {}), {} "
        "(ABI {}) cannot join it. Install one version.",
        quoted_path(first != nullptr && first->file != nullptr ? first->file : "?"),
        first != nullptr ? first->abi_version : 0,
        quoted_path(here.dli_fname != nullptr ? here.dli_fname : "?"),
        instance_abi_version));
  }
  return nullptr;
}

}  // namespace hsmtls::pkcs11
