#include "counts.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "rules.hpp"

namespace hsmtls::chaos {

void call_counts::returned(function_id id, CK_RV rv) {
  if (rv == CKR_OK) {
    at(succeeded_, id).fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::lock_guard lock(state_mutex);
  ++failed_[{static_cast<std::size_t>(id), rv}];
}

std::optional<std::uint64_t> call_counts::of(std::string_view name) const {
  const std::size_t space = name.find(' ');
  const auto function = find_function(name.substr(0, space));
  if (!function) return std::nullopt;
  const auto index = static_cast<std::size_t>(*function);
  if (space == std::string_view::npos) return calls_[index].load();
  const auto value = parse_rv(name.substr(space + 1));
  if (!value) return std::nullopt;
  if (*value == CKR_OK) return succeeded_[index].load();
  const std::lock_guard lock(state_mutex);
  const auto found = failed_.find({index, *value});
  return found == failed_.end() ? 0 : found->second;
}

std::uint64_t call_counts::total() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < num_functions; ++i) {
    if (!returns_lists(static_cast<function_id>(i))) sum += calls_[i].load();
  }
  return sum;
}

void call_counts::reset() {
  for (auto& each : calls_) each = 0;
  for (auto& each : succeeded_) each = 0;
  const std::lock_guard lock(state_mutex);
  failed_.clear();
}

std::string call_counts::table() const {
  std::string text;
  const auto line = [&text](std::string_view name, std::string_view value, std::uint64_t count) {
    text += name;
    if (!value.empty()) text += ' ' + std::string(value);
    text += ' ' + std::to_string(count) + '\n';
  };
  const std::uint64_t sum = total();
  const std::lock_guard lock(state_mutex);
  for (std::size_t i = 0; i < num_functions; ++i) {
    const std::uint64_t calls = calls_[i].load();
    if (calls == 0) continue;
    const auto id = static_cast<function_id>(i);
    line(name_of(id), {}, calls);
    const auto first = failed_.lower_bound({i, 0});
    const bool failures = first != failed_.end() && first->first.first == i;
    if (!failures && id != function_id::C_Login && id != function_id::C_LoginUser) continue;
    line(name_of(id), "CKR_OK", succeeded_[i].load());
    for (auto each = first; each != failed_.end() && each->first.first == i; ++each) {
      line(name_of(id), rv_name(each->first.second), each->second);
    }
  }
  line("total", {}, sum);
  return text;
}

std::string call_counts::write(const std::string& file) const {
  std::string name = file;
  if (const std::size_t mark = name.find("%p"); mark != std::string::npos) {
    name.replace(mark, 2, std::to_string(getpid()));
  }
  const std::string draft = name + '.' + std::to_string(getpid()) + ".new";
  std::FILE* out = std::fopen(draft.c_str(), "we");
  if (out == nullptr) return draft + ": " + std::strerror(errno);
  const std::string text = table();
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  if (std::fclose(out) != 0 || !written || std::rename(draft.c_str(), name.c_str()) != 0) {
    return name + ": " + std::strerror(errno);
  }
  return {};
}

}  // namespace hsmtls::chaos
