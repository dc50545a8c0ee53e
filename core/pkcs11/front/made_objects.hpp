// Calls that make objects: how the application gets handles for them.
#pragma once

#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11 {

// `unmake` destroys, as far as possible, what a call has just made: the application is told that it
// failed.
inline void unmake(session_call& call, CK_OBJECT_HANDLE real) {
  call.behind().call_once(call.session.real(),
                          call.until,
                          [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
                            return invoke(vendor.C_DestroyObject, session, real);
                          });
}

// `adopt_made` gives the application's handle for an object that a call has just made in the real
// session.
inline CK_RV adopt_made(session_call& call, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE& out) {
  const CK_RV rv = call.app.objects.adopt(
      call.behind(), call.session.real(), real, true, call.handle, call.until, out);
  if (rv != CKR_OK) {
    unmake(call, real);
    return rv;
  }
  const auto what = call.app.objects.find(out);
  // A session object lives as long as the real session: that one stays with the application's
  // session.
  if (what != nullptr && !what->on_token()) call.session.session_object_made();
  return CKR_OK;
}

// `make_object` makes one object by run(vendor_module&, session, made handle&), after `prepare()` as
// for `direct`. Nothing is made in a view.
template <class Prepare, class Run>
CK_RV make_object(session_call& call, CK_OBJECT_HANDLE& out, Prepare&& prepare, Run&& run) {
  if (call.session.through() != nullptr) return CKR_TOKEN_WRITE_PROTECTED;
  CK_OBJECT_HANDLE made = 0;
  const CK_RV rv = direct(call,
                          repeat::if_rejected,
                          prepare,
                          [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                            return run(vendor, session, made);
                          });
  return rv == CKR_OK ? adopt_made(call, made, out) : rv;
}
template <class Run>
CK_RV make_object(session_call& call, CK_OBJECT_HANDLE& out, Run&& run) {
  return make_object(
      call, out, [] { return CK_RV{CKR_OK}; }, run);
}

}  // namespace hsmtls::pkcs11
