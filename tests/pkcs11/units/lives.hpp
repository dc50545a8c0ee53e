// A token without a module in front of it, whose lives a test begins and ends.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/pkcs11/front/object_table.hpp"

namespace hsmtls::test {

// `vendor_in_use` is a vendor's module, loaded and initialised.
inline std::unique_ptr<pkcs11::vendor_module> vendor_in_use(const std::string& file) {
  std::string why;
  auto vendor = pkcs11::vendor_module::load(file, nullptr, why);
  if (vendor == nullptr) throw std::runtime_error(why);
  const auto until = pkcs11::steady::now() + std::chrono::seconds(10);
  EXPECT_EQ(CK_RV{CKR_OK},
            vendor->initialise(nullptr, pkcs11::vendor_module::heritage::none, until));
  return vendor;
}

// `life` is one life of a token: it ends with the object, as its last session does.
class life {
 public:
  explicit life(pkcs11::token& of) : of_(of) {
    uint64_t number = 0;
    EXPECT_EQ(CK_RV{CKR_OK}, of.borrow(true, until, session, number));
  }
  ~life() {
    session.give_back();
    of_.release_idle();
  }
  life(const life&) = delete;
  life& operator=(const life&) = delete;

  // Our handles for all objects that the vendor shows, in its order or the other way round.
  std::vector<CK_OBJECT_HANDLE> adopt_all(pkcs11::object_table& table,
                                          const std::string& label = "",
                                          bool backwards = false) {
    std::vector<CK_ATTRIBUTE> pattern;
    if (!label.empty())
      pattern.push_back({CKA_LABEL, const_cast<char*>(label.data()), label.size()});
    std::vector<CK_OBJECT_HANDLE> found;
    EXPECT_EQ(CK_RV{CKR_OK}, pkcs11::find_all(of_, session, pattern, 1000, until, found));
    if (backwards) found = {found.rbegin(), found.rend()};
    std::vector<CK_OBJECT_HANDLE> adopted;
    for (const CK_OBJECT_HANDLE real : found) adopted.push_back(adopt(table, real));
    if (backwards) adopted = {adopted.rbegin(), adopted.rend()};
    return adopted;
  }

  CK_OBJECT_HANDLE adopt(pkcs11::object_table& table, CK_OBJECT_HANDLE real, bool made = false) {
    CK_OBJECT_HANDLE handle = 0;
    EXPECT_EQ(CK_RV{CKR_OK}, table.adopt(of_, session, real, made, 0, until, handle));
    return handle;
  }

  const pkcs11::time_point until = pkcs11::steady::now() + std::chrono::seconds(10);
  pkcs11::lease session;

 private:
  pkcs11::token& of_;
};

}  // namespace hsmtls::test
