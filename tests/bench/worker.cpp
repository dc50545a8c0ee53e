#include "tests/bench/worker.hpp"

#include <pkcs11.h>
#include <time.h>

#include <chrono>
#include <iostream>
#include <latch>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "tests/bench/pending.hpp"
#include "tests/support/chaos.hpp"
#include "tests/support/module.hpp"

namespace hsmtls::bench {
namespace {

using nlohmann::json;
using steady = std::chrono::steady_clock;

void check(CK_RV rv, const char* what) {
  if (rv != CKR_OK) {
    throw std::runtime_error(std::string(what) + " returned " + pkcs11::rv_name(rv));
  }
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::int64_t nanoseconds(steady::time_point when) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

// An application that logged in, has found its P-256 key, and signs.
class application {
 public:
  explicit application(const worker_options& with) : module_(with.module) {
    CK_C_INITIALIZE_ARGS threads{};
    threads.flags = CKF_OS_LOCKING_OK;
    check(module_->C_Initialize(&threads), "C_Initialize");
    const CK_SLOT_ID slot = slot_of(with.token);
    for (int i = 0; i < with.sessions; ++i) sessions_.push_back(open(slot));
    std::string pin = with.pin;
    check(module_->C_Login(
              sessions_.front(), CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size()),
          "C_Login");
    key_ = find_key();
  }

  CK_RV sign(std::size_t session) {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    CK_BYTE digest[32] = {1, 2, 3};
    CK_BYTE signature[128];
    CK_ULONG length = sizeof signature;
    const CK_SESSION_HANDLE in = sessions_.at(session);
    if (const CK_RV rv = module_->C_SignInit(in, &mechanism, key_); rv != CKR_OK) return rv;
    return module_->C_Sign(in, digest, sizeof digest, signature, &length);
  }

  void leave() { check(module_->C_Finalize(nullptr), "C_Finalize"); }

 private:
  CK_SLOT_ID slot_of(const std::string& label) {
    CK_ULONG count = 0;
    check(module_->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
    std::vector<CK_SLOT_ID> slots(count);
    check(module_->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info{};
      const bool readable = module_->C_GetTokenInfo(slot, &info) == CKR_OK;
      if (readable && pkcs11::unpadded(info.label) == label) return slot;
    }
    throw std::runtime_error("no token '" + label + "'");
  }

  CK_SESSION_HANDLE open(CK_SLOT_ID slot) {
    CK_SESSION_HANDLE opened = 0;
    check(module_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &opened),
          "C_OpenSession");
    return opened;
  }

  CK_OBJECT_HANDLE find_key() {
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_BYTE id = 1;
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, &id, 1}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    const CK_SESSION_HANDLE in = sessions_.front();
    check(module_->C_FindObjectsInit(in, pattern, 2), "C_FindObjectsInit");
    check(module_->C_FindObjects(in, &found, 1, &count), "C_FindObjects");
    check(module_->C_FindObjectsFinal(in), "C_FindObjectsFinal");
    if (count != 1) throw std::runtime_error("no private key with CKA_ID 01");
    return found;
  }

  test::module_under_test module_;
  std::vector<CK_SESSION_HANDLE> sessions_;
  CK_OBJECT_HANDLE key_ = 0;
};

struct result {
  std::uint64_t signatures = 0;
  CK_RV failure = CKR_OK;
};

json answer_of(std::uint64_t signatures, steady::duration took, double cpu) {
  return {{"signatures", signatures},
          {"seconds", std::chrono::duration<double>(took).count()},
          {"cpu_seconds", cpu}};
}

json sign_for(application& app, std::size_t threads, std::chrono::milliseconds how_long) {
  std::vector<result> results(threads);
  steady::time_point until;
  // Threads are made before the clock starts.
  std::latch ready(static_cast<std::ptrdiff_t>(threads));
  std::latch go(1);
  std::vector<std::jthread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      result mine;
      ready.count_down();
      go.wait();
      while (mine.failure == CKR_OK && steady::now() < until) {
        mine.failure = app.sign(i);
        ++mine.signatures;
      }
      results[i] = mine;
    });
  }
  ready.wait();
  const double cpu = cpu_seconds();
  const auto began = steady::now();
  until = began + how_long;
  go.count_down();
  running.clear();
  const auto took = steady::now() - began;
  std::uint64_t signatures = 0;
  for (const result& one : results) {
    check(one.failure, "a signature");
    signatures += one.signatures;
  }
  return answer_of(signatures, took, cpu_seconds() - cpu);
}

json sign_so_many(application& app, std::uint64_t count) {
  const double cpu = cpu_seconds();
  const auto began = steady::now();
  for (std::uint64_t i = 0; i < count; ++i) check(app.sign(0), "a signature");
  return answer_of(count, steady::now() - began, cpu_seconds() - cpu);
}

json answer(const worker_options& with,
            application& app,
            const std::optional<test::chaos>& trouble,
            const json& request) {
  const std::string what = request.at("do");
  if (what == "sign" && request.contains("threads")) {
    return sign_for(app, request.at("threads"), std::chrono::milliseconds(request.at("ms")));
  }
  if (what == "sign") {
    const std::uint64_t before = trouble ? trouble->total() : 0;
    json out = sign_so_many(app, request.at("signatures"));
    if (trouble) out["calls"] = trouble->total() - before;
    return out;
  }
  if (what == "sign_pending") {
    const auto made = sign_pending({.module = with.module,
                                    .uri = "pkcs11:token=" + with.token + ";id=%01;type=private",
                                    .pin = with.pin,
                                    .pending = request.at("pending"),
                                    .how_long = std::chrono::milliseconds(request.at("ms"))});
    return {{"signatures", made.signatures}, {"seconds", made.seconds}};
  }
  if (what == "sign_once") {
    const auto began = steady::now();
    const CK_RV rv = app.sign(0);
    return {{"rv", pkcs11::rv_name(rv)},
            {"began_ns", nanoseconds(began)},
            {"ended_ns", nanoseconds(steady::now())}};
  }
  if (what == "chaos" && trouble) {
    trouble->run(request.at("script"));
    return json::object();
  }
  throw std::invalid_argument("unknown request: " + request.dump());
}

void say(const json& line) {
  std::cout << line.dump() << std::endl;
}

}  // namespace

int run_worker(const worker_options& with) try {
  application app(with);
  std::optional<test::chaos> trouble;
  if (!with.chaos.empty()) trouble.emplace(with.chaos);
  say({{"ready", true}});
  for (std::string line; std::getline(std::cin, line);) {
    say(answer(with, app, trouble, json::parse(line)));
  }
  app.leave();
  return 0;
} catch (const std::exception& error) {
  say({{"error", error.what()}});
  return 1;
}

}  // namespace hsmtls::bench
