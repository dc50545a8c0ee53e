#include "tests/bench/core/engine.hpp"

#include <openssl/engine.h>
#include <openssl/err.h>

#include <array>
#include <stdexcept>

namespace hsmtls::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  throw std::runtime_error(std::string(what) + ": " + reason.data());
}

ENGINE* started(const token_place& where) {
  ENGINE_load_dynamic();
  ENGINE* const engine = ENGINE_by_id("pkcs11");
  if (engine == nullptr) fail("no engine 'pkcs11'");
  if (ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", where.module.c_str(), 0) != 1 ||
      ENGINE_ctrl_cmd_string(engine, "PIN", where.pin.c_str(), 0) != 1 ||
      ENGINE_init(engine) != 1) {
    fail("the engine 'pkcs11' does not start");
  }
  return engine;
}

}  // namespace

test::evp_key engine_key(const key_place& place) {
  static ENGINE* const engine = started(place.where);
  test::evp_key made(ENGINE_load_private_key(engine, place.uri().c_str(), nullptr, nullptr));
  if (!made) fail("the engine 'pkcs11' does not load the key");
  return made;
}

}  // namespace hsmtls::bench
