#include <vector>

#include "bindings/node/functions.hpp"
#include "bindings/node/promise.hpp"

namespace hsmtls::node {
namespace {

constexpr const char* names[] = {"uri", "label", "serial", "model", "manufacturer", "module"};
struct token {
  std::string texts[std::size(names)];
  double slot_id, flags;
};

int32_t add(void* user, const hsmtls_token_info* one) {
  static_cast<std::vector<token>*>(user)->push_back(
      {{one->uri, one->label, one->serial, one->model, one->manufacturer, one->module},
       static_cast<double>(one->slot_id),
       static_cast<double>(one->flags)});
  return 0;
}

struct token_list {
  std::string module;
  std::vector<token> found{};

  int32_t run(hsmtls_error** out_error) {
    return hsmtls_tokens_list(given(module), add, &found, out_error);
  }
  Napi::Value result(Napi::Env env) const {
    Napi::Array all = Napi::Array::New(env);
    for (const token& one : found) {
      Napi::Object made = Napi::Object::New(env);
      for (size_t i = 0; i < std::size(names); ++i) made[names[i]] = one.texts[i];
      made["slotId"] = one.slot_id;
      made["flags"] = one.flags;
      all[all.Length()] = made;
    }
    return all;
  }
};

}  // namespace

Napi::Value tokens(const Napi::CallbackInfo& info) {
  return promise<token_list>(info.Env(), text(info[0]));
}

}  // namespace hsmtls::node
