// The application's handles through many lives of a token.
#include "core/pkcs11/front/object_table.hpp"

#include "tests/pkcs11/units/lives.hpp"
#include "tests/support/module.hpp"

namespace hsmtls::test {
namespace {

using handles = std::vector<CK_OBJECT_HANDLE>;
using pkcs11::object_table;

constexpr int very_many = 5000;

class ObjectTable : public testing::Test {
 protected:
  // A certificate with this label and value; without a value the stub has a data object of it,
  // which nothing tells from another.
  CK_OBJECT_HANDLE make(life& in, std::string label, std::string value) {
    CK_OBJECT_CLASS object_class = value.empty() ? CKO_DATA : CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    std::string subject = "0";
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_TOKEN, &yes, sizeof yes},
                              {CKA_PRIVATE, &no, sizeof no},
                              {CKA_LABEL, label.data(), label.size()},
                              {CKA_VALUE, value.data(), value.size()},
                              {CKA_CERTIFICATE_TYPE, &type, sizeof type},
                              {CKA_SUBJECT, subject.data(), subject.size()}};
    CK_OBJECT_HANDLE made = 0;
    const auto create = [&](const CK_FUNCTION_LIST& list, CK_SESSION_HANDLE session) {
      return list.C_CreateObject(session, pattern, value.empty() ? 5 : 7, &made);
    };
    EXPECT_EQ(CK_RV{CKR_OK}, token.call(in.session, in.until, create));
    return made;
  }

  // The vendor gives its objects other numbers.
  void restart() {
    vendor->finalise(pkcs11::steady::now() + std::chrono::seconds(10));
    token.forget();
    const auto until = pkcs11::steady::now() + std::chrono::seconds(10);
    EXPECT_EQ(CK_RV{CKR_OK},
              vendor->initialise(nullptr, pkcs11::vendor_module::heritage::none, until));
  }

  std::unique_ptr<pkcs11::vendor_module> vendor = vendor_in_use(HSMTLS_TEST_STUB_VENDOR);
  pkcs11::token token{*vendor, 0};
  object_table table;
  // The stub keeps its token objects: other tests' are called otherwise.
  const std::string twin = testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ObjectTable, KeepsEveryHandleThroughVeryManyLivesInTheSameMemory) {
  const handles first = life(token).adopt_all(table);
  ASSERT_FALSE(first.empty());
  const size_t size = table.size();
  for (int i = 0; i < very_many; ++i) ASSERT_EQ(first, life(token).adopt_all(table)) << i;
  EXPECT_EQ(size, table.size());
}

TEST_F(ObjectTable, TellsNamesakesApartByTheirValue) {
  handles first;
  {
    life one(token);
    make(one, twin, "one");
    make(one, twin, "two");
    make(one, twin, "three");
    first = one.adopt_all(table, twin);
  }
  const size_t size = table.size();
  for (int i = 0; i < very_many; ++i) {
    const bool backwards = i % 2 == 0;
    ASSERT_EQ(first, life(token).adopt_all(table, twin, backwards)) << i;
  }
  EXPECT_EQ(size, table.size());
}

TEST_F(ObjectTable, TellsNamesakesApartWhenTheVendorNumbersThemAnew) {
  std::map<pkcs11::bytes, CK_OBJECT_HANDLE> first;
  {
    life one(token);
    make(one, twin, "one");
    make(one, twin, "two");
  }
  for (int i = 0; i < 20; ++i) {
    life now(token);
    for (const CK_OBJECT_HANDLE handle : now.adopt_all(table, twin)) {
      const auto real = table.find(handle)->current_in(now.session.life());
      pkcs11::bytes value;
      ASSERT_EQ(CK_RV{CKR_OK},
                pkcs11::read_attribute(token, now.session, *real, CKA_VALUE, now.until, value));
      EXPECT_EQ(handle, first.try_emplace(value, handle).first->second);
    }
    now.session.give_back();
    restart();
  }
  EXPECT_EQ(2U, first.size());
}

TEST_F(ObjectTable, DoesNotGrowByNamesakesThatNothingTellsApart) {
  {
    life one(token);
    make(one, twin, "");
    make(one, twin, "");
  }
  life(token).adopt_all(table, twin);
  const size_t size = table.size();
  for (int i = 0; i < very_many; ++i) {
    const handles now = life(token).adopt_all(table, twin);
    ASSERT_EQ(2U, now.size());
    ASSERT_NE(now[0], now[1]);
    for (const CK_OBJECT_HANDLE handle : now) ASSERT_NE(nullptr, table.find(handle));
  }
  EXPECT_EQ(size, table.size());
}

TEST_F(ObjectTable, DoesNotTakeANewObjectForAnotherOfTheSameNameThatIsAway) {
  CK_OBJECT_HANDLE first_real = 0;
  handles first;
  {
    life one(token);
    first_real = make(one, twin, "one");
    make(one, twin, "two");
    first = one.adopt_all(table, twin);
  }
  life now(token);
  ASSERT_EQ(
      CK_RV{CKR_OK},
      token.call(
          now.session, now.until, [&](const CK_FUNCTION_LIST& list, CK_SESSION_HANDLE session) {
            return list.C_DestroyObject(session, first_real);
          }));
  const CK_OBJECT_HANDLE third = make(now, twin, "three");
  const handles found = now.adopt_all(table, twin);
  ASSERT_EQ(2U, found.size());
  EXPECT_EQ(first[1], found[0]);
  EXPECT_NE(first[0], found[1]) << "it is the first one's handle";
  EXPECT_EQ(third, table.find(found[1])->current_in(now.session.life()));
}

TEST_F(ObjectTable, GivesOneHandleToAnObjectThatItsUserFoundFirst) {
  const handles first = life(token).adopt_all(table, "device");
  restart();
  life now(token);
  // The application uses its handle before it searches.
  CK_OBJECT_HANDLE real = 0;
  ASSERT_EQ(CK_RV{CKR_OK}, table.find(first.at(0))->resolve(now.session, now.until, real));
  handles found = now.adopt_all(table, "device");
  EXPECT_EQ(std::set<CK_OBJECT_HANDLE>(first.begin(), first.end()),
            std::set<CK_OBJECT_HANDLE>(found.begin(), found.end()));
}

TEST_F(ObjectTable, KnowsARenamedObjectByItsNewName) {
  handles first;
  {
    life one(token);
    make(one, "old", "one");
    first = one.adopt_all(table, "old");
    auto recipe = table.find(first.at(0))->recipe();
    recipe.label = {'n', 'e', 'w'};
    table.renamed(first[0], recipe);
    make(one, "new", "one");  // what the vendor would show
  }
  const size_t size = table.size();
  life now(token);
  EXPECT_NE(first, now.adopt_all(table, "old")) << "the handle of what is called otherwise now";
  EXPECT_EQ(first, now.adopt_all(table, "new"));
  EXPECT_EQ(size + 3, table.size());
}

TEST_F(ObjectTable, ForgetsSessionObjectsAtTheEnd) {
  const size_t empty = table.size();
  life now(token);
  CK_OBJECT_CLASS object_class = CKO_DATA;
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                            {CKA_TOKEN, &no, sizeof no}};
  CK_OBJECT_HANDLE made = 0;
  const auto create = [&](const CK_FUNCTION_LIST& list, CK_SESSION_HANDLE session) {
    return list.C_CreateObject(session, pattern, 2, &made);
  };
  ASSERT_EQ(CK_RV{CKR_OK}, token.call(now.session, now.until, create));
  const CK_OBJECT_HANDLE handle = now.adopt(table, made, true);
  const handles on_token = now.adopt_all(table, "device");
  ASSERT_FALSE(on_token.empty());
  table.forget_session_objects();
  EXPECT_EQ(nullptr, table.find(handle));
  for (const CK_OBJECT_HANDLE one : on_token) EXPECT_NE(nullptr, table.find(one));
  for (const CK_OBJECT_HANDLE one : on_token) table.remove(one);
  EXPECT_EQ(empty, table.size());
}

}  // namespace
}  // namespace hsmtls::test
