#include <limits>
#include <string>

#include "chaos_module.hpp"
#include "hsmtls_chaos.h"

using namespace hsmtls::chaos;

namespace {

std::string& last_error() {
  thread_local std::string text;
  return text;
}

}  // namespace

extern "C" {

int hsmtls_chaos_run(const char* script) {
  chaos_module* module = the_module();
  last_error() = module == nullptr   ? refusal()
                 : script == nullptr ? "no script"
                                     : module->run(script);
  return last_error().empty() ? 0 : -1;
}

const char* hsmtls_chaos_last_error(void) {
  return last_error().c_str();
}

uint64_t hsmtls_chaos_count(const char* function) {
  const chaos_module* module = the_module();
  if (module != nullptr && function != nullptr) {
    if (const auto count = module->counts.of(function)) return *count;
    last_error() = '\'' + std::string(function) + "' is not a PKCS#11 function" +
                   did_you_mean_function(function);
  } else {
    last_error() = module == nullptr ? refusal() : "no function";
  }
  return std::numeric_limits<uint64_t>::max();
}

uint64_t hsmtls_chaos_total(void) {
  const chaos_module* module = the_module();
  return module == nullptr ? 0 : module->counts.total();
}

void hsmtls_chaos_reset(void) {
  hsmtls_chaos_run("reset");
}

}  // extern "C"
