#include "core/pkcs11/private/failure.hpp"

#include <cstring>

#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct meaning {
  hsmtls_p11_code code;
  const char* advice;
};

meaning meaning_of(CK_RV rv) {
  switch (rv) {
    case verdict::deadline:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
      return {HSMTLS_P11_TOKEN_LOST,
              "the token is not there and did not come back within the deadline; check that it is "
              "plugged in and its service runs, then try again"};
    case verdict::token_replaced:
      return {HSMTLS_P11_TOKEN_REPLACED,
              "another token sits in the slot; put the right one back, or open the key anew"};
    case verdict::key_replaced:
      return {HSMTLS_P11_KEY_REPLACED,
              "the token now holds another key of that name; open it anew if that is intended"};
    case verdict::module_stuck:
      return {HSMTLS_P11_MODULE_STUCK,
              "a call inside the vendor's module never returned; restart the program, and the "
              "token's service or driver"};
    case verdict::login_refused:
      return {HSMTLS_P11_NOT_LOGGED_IN,
              "login failed several times in a row and pauses; check the token and its PIN source"};
    case verdict::login_busy:
      return {
          HSMTLS_P11_DEADLINE,
          "another thread or process is logging in with the same PIN, and that takes longer than "
          "the deadline; try again"};
    case verdict::exiting:
      return {HSMTLS_P11_EXITING, "the process exits"};
    case CKR_USER_NOT_LOGGED_IN:
      return {HSMTLS_P11_NOT_LOGGED_IN,
              "the token forgot the login and the PIN is not known any more; open the key anew "
              "with its PIN"};
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return {HSMTLS_P11_PIN_INCORRECT,
              "the token does not take the PIN; it is not sent again by this process, so correct "
              "it and start anew"};
    case CKR_PIN_LOCKED:
      return {HSMTLS_P11_PIN_LOCKED,
              "the PIN is locked or on its last try; unlock the token with its SO PIN, or log in "
              "once on purpose with HSMTLS_FINAL_TRY=allow"};
    case CKR_PIN_EXPIRED:
      return {HSMTLS_P11_PIN_LOCKED, "the token wants its PIN changed first"};
    case verdict::object_missing:
      return {
          HSMTLS_P11_OBJECT_NOT_FOUND,
          "the token is there, but the key, or the public key or certificate that tells it "
          "apart, is not in it: it was removed, or the token is not yet fully back; look at what "
          "it holds, or try again"};
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
      return {HSMTLS_P11_OBJECT_NOT_FOUND,
              "the token no longer knows the key by its handle, or holds several of its name; open "
              "it anew"};
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_CURVE_NOT_SUPPORTED:
      return {HSMTLS_P11_UNSUPPORTED, "the token cannot do this; see its list of mechanisms"};
    case CKR_SESSION_EXISTS:
    case CKR_SESSION_READ_ONLY_EXISTS:
      return {HSMTLS_P11_IN_USE, "somebody has sessions open on the token; close them first"};
    case CKR_SESSION_COUNT:
      return {HSMTLS_P11_TOKEN_ERROR,
              "all of the token's sessions are in use; try again or close some"};
    case CKR_FUNCTION_CANCELED:
      return {HSMTLS_P11_TOKEN_ERROR,
              "it was cancelled at the reader, or nobody typed the PIN there in time; try again"};
    case CKR_HOST_MEMORY:
      return {HSMTLS_P11_NO_MEMORY, "out of memory"};
    default:
      return {HSMTLS_P11_TOKEN_ERROR, "the vendor's module refused it"};
  }
}

}  // namespace

failure failure_of(CK_RV rv, const std::string& doing) {
  const meaning is = meaning_of(rv);
  std::string message = "cannot " + doing + ": " + is.advice;
  if (verdict::is_verdict(rv)) return {is.code, message};
  return {is.code, message + " (" + rv_name(rv) + ")", rv};
}

int32_t describe_failure(hsmtls_p11_code code,
                         CK_RV ckr,
                         const char* message,
                         hsmtls_p11_error* out) noexcept {
  if (out == nullptr) return code;
  out->code = code;
  out->ckr = ckr;
  size_t length = strnlen(message, sizeof out->message - 1);
  // Not in the middle of a character (RFC 3629 section 3: what continues one begins with 10).
  const auto continues = [&] { return (static_cast<uint8_t>(message[length]) & 0xc0) == 0x80; };
  while (length > 0 && continues()) --length;
  std::memcpy(out->message, message, length);
  out->message[length] = '\0';
  return code;
}

int32_t describe_failure(const failure& why, hsmtls_p11_error* out) noexcept {
  return describe_failure(why.code(), why.ckr(), why.what(), out);
}

}  // namespace hsmtls::pkcs11
