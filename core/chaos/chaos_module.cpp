#include "chaos_module.hpp"

#include <pthread.h>
#include <sys/auxv.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace hsmtls::chaos {
namespace {

struct instance {
  chaos_module* module = nullptr;
  std::string refusal;
};

std::string from_environment(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void survive_forks() {
  pthread_atfork([] { state_mutex.lock(); },
                 [] { state_mutex.unlock(); },
                 [] {
                   the_module()->rules.after_fork();
                   state_mutex.unlock();
                 });
}

std::string load(chaos_module& made) {
  if (getauxval(AT_SECURE) != 0) return "refuses to work in a set-uid or set-gid program";
  const std::string vendor = from_environment("HSMTLS_CHAOS_MODULE");
  if (vendor.empty()) return "HSMTLS_CHAOS_MODULE does not name the vendor's PKCS#11 module";
  if (const std::string error = made.vendor.load(vendor); !error.empty()) {
    return "HSMTLS_CHAOS_MODULE: " + error;
  }
  if (const std::string error = made.run(from_environment("HSMTLS_CHAOS")); !error.empty()) {
    return "HSMTLS_CHAOS: " + error;
  }
  made.file.follow(from_environment("HSMTLS_CHAOS_FILE"));
  made.counts_file = from_environment("HSMTLS_CHAOS_COUNTS");
  return {};
}

instance make() {
  instance made;
  // Never destroyed: calls may be inside while the process exits.
  auto* module = new chaos_module;
  made.refusal = load(*module);
  if (!made.refusal.empty()) {
    delete module;
    complain(made.refusal);
    return made;
  }
  made.module = module;
  return made;
}

bool arm(const chaos_module* module) {
  if (module == nullptr) return false;
  survive_forks();
  if (module->counts_file.empty()) return true;
  std::atexit([] {
    const auto& at_exit = *the_module();
    const std::string error = at_exit.counts.write(at_exit.counts_file);
    if (!error.empty()) complain(error);
  });
  return true;
}

const instance& the_instance() {
  static const auto* const only = new instance(make());
  [[maybe_unused]] static const bool armed = arm(only->module);
  return *only;
}

}  // namespace

chaos_module* the_module() {
  return the_instance().module;
}

const std::string& refusal() {
  return the_instance().refusal;
}

void complain(const std::string& text) {
  std::fprintf(stderr, "hsmtls-chaos: %s\n", text.c_str());
}

}  // namespace hsmtls::chaos
