// Where libcrypto enters our provider (provider(7), provider-base(7)): as a loadable module
// (OSSL_provider_init, what openssl.cnf activates) and inside the process (installed.hpp).
#include "core/keys/provider/entry.hpp"

#include <openssl/core_names.h>

#include <stdlib.h>  // secure_getenv

#include <atomic>
#include <mutex>
#include <string_view>

#include "core/keys/host/fork_locks.hpp"
#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/downgrade.hpp"
#include "core/keys/provider/installed.hpp"
#include "core/keys/provider/provider_context.hpp"
#include "core/keys/provider/reasons.hpp"
#include "core/keys/token/face.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

constexpr const char* in_process_name = "hsmtls-inproc";

const OSSL_ALGORITHM* query(void* provider, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return key_managements();
    case OSSL_OP_SIGNATURE:
      return signatures();
    case OSSL_OP_DECODER:
      return decoders();
    case OSSL_OP_ENCODER:
      return encoders();
    case OSSL_OP_STORE:  // In process a URI is nobody's to resolve but an identity's.
      return static_cast<const provider_context*>(provider)->configured ? stores() : nullptr;
    default:
      return nullptr;
  }
}

const OSSL_ITEM* reasons(void* /*provider*/) {
  return reason_strings();
}

int get_params(void* provider, OSSL_PARAM parameters[]) {
  const bool configured = static_cast<const provider_context*>(provider)->configured;
  const auto set = [&](const char* key, const char* value) {
    OSSL_PARAM* const found = crypto().OSSL_PARAM_locate(parameters, key);
    if (found != nullptr && found->data_type == OSSL_PARAM_UTF8_PTR) {
      *static_cast<const char**>(found->data) = value;
      found->return_size = std::char_traits<char>::length(value);
    }
  };
  set(OSSL_PROV_PARAM_NAME, configured ? "hsmtls" : "hsmtls in process");
  set(OSSL_PROV_PARAM_VERSION, HSMTLS_VERSION);
  set(OSSL_PROV_PARAM_BUILDINFO, HSMTLS_VERSION);
  if (OSSL_PARAM* status = crypto().OSSL_PARAM_locate(parameters, OSSL_PROV_PARAM_STATUS)) {
    crypto().OSSL_PARAM_set_int(status, 1);
  }
  return 1;
}

const OSSL_PARAM* gettable(void* /*provider*/) {
  static const OSSL_PARAM all[] = {
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, nullptr, 0),
      OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, nullptr, sizeof(int)),
      OSSL_PARAM_END};
  return all;
}

void teardown(void* provider) {
  delete static_cast<provider_context*>(provider);
}

const OSSL_DISPATCH provided[] = {row(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
                                  row(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable),
                                  row(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
                                  row(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                  row(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, reasons),
                                  {0, nullptr}};

struct core_functions {
  OSSL_FUNC_core_get_params_fn* get_params = nullptr;
  OSSL_FUNC_core_get_libctx_fn* get_libctx = nullptr;
};

core_functions take(const OSSL_DISPATCH* core, provider_context& to) {
  core_functions others;
  for (; core->function_id != 0; ++core) {
    switch (core->function_id) {
      case OSSL_FUNC_CORE_GET_PARAMS:
        others.get_params = OSSL_FUNC_core_get_params(core);
        break;
      case OSSL_FUNC_CORE_GET_LIBCTX:
        others.get_libctx = OSSL_FUNC_core_get_libctx(core);
        break;
      case OSSL_FUNC_CORE_NEW_ERROR:
        to.new_error = OSSL_FUNC_core_new_error(core);
        break;
      case OSSL_FUNC_CORE_VSET_ERROR:
        to.vset_error = OSSL_FUNC_core_vset_error(core);
        break;
      case OSSL_FUNC_BIO_READ_EX:
        to.bio_read_ex = OSSL_FUNC_BIO_read_ex(core);
        break;
      case OSSL_FUNC_BIO_GETS:
        to.bio_gets = OSSL_FUNC_BIO_gets(core);
        break;
      case OSSL_FUNC_BIO_WRITE_EX:
        to.bio_write_ex = OSSL_FUNC_BIO_write_ex(core);
        break;
      default:
        break;
    }
  }
  return others;
}

// The provider's section of openssl.cnf, as libcrypto read it.
void read_section(const core_functions& core, provider_context& to) {
  if (core.get_params == nullptr) return;
  char* module = nullptr;
  char* pin_source = nullptr;
  OSSL_PARAM wanted[] = {
      crypto().OSSL_PARAM_construct_utf8_ptr("hsmtls-module", &module, 0),
      crypto().OSSL_PARAM_construct_utf8_ptr("hsmtls-pin-source", &pin_source, 0),
      crypto().OSSL_PARAM_construct_end()};
  if (core.get_params(to.handle, wanted) != 1) return;
  if (module != nullptr) to.module = module;
  // HSMTLS_PIN_SOURCE, which the token layer reads by itself, comes before the section's. An empty
  // one says nothing, there as here.
  const char* const from_environment = secure_getenv("HSMTLS_PIN_SOURCE");
  if (pin_source != nullptr && (from_environment == nullptr || *from_environment == '\0'))
    to.pin_source = pin_source;
}

int start(bool configured,
          const OSSL_CORE_HANDLE* handle,
          const OSSL_DISPATCH* core,
          const OSSL_DISPATCH** out,
          void** out_provider) noexcept {
  auto made = std::make_unique<provider_context>();
  made->handle = handle;
  made->configured = configured;
  const core_functions others = take(core, *made);
  return guarded(*made, 0, [&] {
    host::bind_core(reinterpret_cast<const void*>(core->function));
    (void)
        face();  // another version of the token layer in this process: said now, not at the first key
    if (configured) {
      // Inside one copy of libcrypto the core's context is the application's.
      if (others.get_libctx != nullptr) {
        made->libctx = reinterpret_cast<OSSL_LIB_CTX*>(others.get_libctx(handle));
      }
      read_section(others, *made);
    }
    *out = provided;
    *out_provider = made.release();
    return 1;
  });
}

int start_in_process(const OSSL_CORE_HANDLE* handle,
                     const OSSL_DISPATCH* core,
                     const OSSL_DISPATCH** out,
                     void** out_provider) noexcept {
  return start(false, handle, core, out, out_provider);
}

std::atomic<OSSL_PROVIDER*> installed{nullptr};  // for the life of the process

[[noreturn]] void refuse_install(const std::string& why) {
  const unsigned long code = crypto().ERR_peek_last_error();
  const char* const reason = crypto().ERR_reason_error_string(code);
  throw failure(HSMTLS_OPENSSL_UNUSABLE, why).because(code, reason != nullptr ? reason : "");
}

// Mandatory default properties (openssl.cnf's "default_properties = provider=default" and the like)
// make OpenSSL leave our keys out without a word.
bool is_overlooked() {
  EVP_KEYMGMT* const found = crypto().EVP_KEYMGMT_fetch(nullptr, probe_name, nullptr);
  crypto().EVP_KEYMGMT_free(found);
  return found == nullptr;
}

// What libcrypto needs around a key, above all random numbers for the padding of a legacy half, comes
// from what the host has chosen: a host in FIPS mode must not get the default provider by our hand.
// A provider that cannot be had without the host's own configuration is left out.
void bring_in_the_hosts(OSSL_LIB_CTX* into) {
  crypto().OSSL_PROVIDER_do_all(
      nullptr,
      [](OSSL_PROVIDER* one, void* context) {
        const std::string_view name = crypto().OSSL_PROVIDER_get0_name(one);
        if (name == "default" || name == "base" || name == "fips") {
          crypto().OSSL_PROVIDER_load(static_cast<OSSL_LIB_CTX*>(context), name.data());
        }
        return 1;
      },
      into);
}

}  // namespace

int start_configured(const OSSL_CORE_HANDLE* handle,
                     const OSSL_DISPATCH* core,
                     const OSSL_DISPATCH** out,
                     void** out_provider) noexcept {
  return start(true, handle, core, out, out_provider);
}

bool is_installed() {
  return installed != nullptr;
}

void install() {
  host::need_crypto();
  const std::lock_guard lock(host::making_lock());
  if (installed != nullptr) return;
  const host::error_mark mark;
  // Whoever comes first is asked first, for every algorithm of the process. So the host's own have to
  // be in before us: asking for all of them reads its configuration, or brings "default" in.
  crypto().OSSL_PROVIDER_do_all(
      nullptr, [](OSSL_PROVIDER*, void*) { return 1; }, nullptr);
  OSSL_PROVIDER* made = nullptr;
  if (crypto().OSSL_PROVIDER_add_builtin(nullptr, in_process_name, start_in_process) != 1 ||
      (made = crypto().OSSL_PROVIDER_try_load(nullptr, in_process_name, 1)) == nullptr) {
    refuse_install("OpenSSL does not take the provider in");
  }
  if (is_overlooked()) {
    crypto().OSSL_PROVIDER_unload(made);
    refuse_install(
        "OpenSSL's default_properties hide every provider but some, and with them keys in a token. "
        "Write "
        "them with a question mark (default_properties = ?fips=yes), or use the identity's own SSL "
        "context");
  }
  learn_downgrades();
  installed = made;
}

OSSL_LIB_CTX* own_context() {
  host::need_crypto();
  static std::atomic<OSSL_LIB_CTX*> only{nullptr};
  if (OSSL_LIB_CTX* const known = only) return known;
  const std::lock_guard lock(host::making_lock());
  if (OSSL_LIB_CTX* const known = only) return known;
  const host::error_mark mark;
  host::lib_ctx made(crypto().OSSL_LIB_CTX_new());
  if (made) bring_in_the_hosts(made.get());
  if (!made ||
      crypto().OSSL_PROVIDER_add_builtin(made.get(), in_process_name, start_in_process) != 1 ||
      crypto().OSSL_PROVIDER_load(made.get(), in_process_name) == nullptr) {
    refuse_install("OpenSSL does not take the provider in");
  }
  return only = made.release();
}

}  // namespace hsmtls::keys
