#include "core/keys/token/log.hpp"

#include <exception>
#include <vector>

#include "core/keys/token/face.hpp"

namespace hsmtls::keys {

void log_warning(const char* event, std::initializer_list<std::string> fields) noexcept {
  try {
    std::vector<const char*> strings;
    strings.reserve(fields.size());
    for (const std::string& one : fields) strings.push_back(one.c_str());
    face().log(1, event, strings.data(), static_cast<uint32_t>(strings.size()));
  } catch (const std::exception&) {  // a line less
  }
}

}  // namespace hsmtls::keys
