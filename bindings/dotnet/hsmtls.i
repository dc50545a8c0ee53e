// The C face of libhsmtls.so for C#: Native.g.cs and the wrappers in libhsmtls_dotnet.so. Names stay
// native in here; what people see is in dotnet/.
//
// - A handle is a SafeHandle: it cannot be released while a call uses it.
// - A struct is a proxy: the C compiler lays it out, and its constructor writes struct_size.
// - Text that is returned is copied. Text and bytes that are passed, and callbacks, are addresses that
//   the caller keeps (dotnet/Interop).
%module Native
%pragma(csharp) imclassclassmodifiers="internal static class"
%pragma(csharp) moduleclassmodifiers="internal static class"
%typemap(csclassmodifiers) SWIGTYPE "internal class"
%typemap(csclassmodifiers) enum SWIGTYPE "internal enum"
%csconst(1);

%{
#include <stdlib.h>

#include "hsmtls/hsmtls.h"
#include "hsmtls/hsmtls_openssl.h"
%}

%include <stdint.i>

// Nothing but what is named.
%rename("$ignore", %$isfunction) "";
%define %wanted(FUNCTION)
%rename("%s") FUNCTION;
%enddef
%wanted(hsmtls_abi_version)
%wanted(hsmtls_error_code_of)
%wanted(hsmtls_error_message)
%wanted(hsmtls_error_ckr)
%wanted(hsmtls_error_ckr_name)
%wanted(hsmtls_error_openssl_reason)
%wanted(hsmtls_code_name)
%wanted(hsmtls_code_category)
%wanted(hsmtls_identity_open)
%wanted(hsmtls_identity_close)
%wanted(hsmtls_identity_get_info)
%wanted(hsmtls_identity_certificate_pem)
%wanted(hsmtls_identity_last_error)
%wanted(hsmtls_identity_get_counters)
%wanted(hsmtls_openssl_bind)
%wanted(hsmtls_identity_evp_pkey)
%ignore hsmtls_event;
%ignore hsmtls_token_info;
%ignore hsmtls_object_info;
%ignore hsmtls_object_class;
%ignore hsmtls_generate_kind;
%ignore hsmtls_trust;
%ignore hsmtls_tls_options;
%ignore hsmtls_role;

// Structs that begin with their size.
%define %sized(STRUCT)
%ignore STRUCT::struct_size;
%extend STRUCT {
  STRUCT() {
    STRUCT *made = calloc(1, sizeof *made);
    if (made != NULL) made->struct_size = sizeof *made;
    return made;
  }
  ~STRUCT() { free($self); }
}
%enddef
%sized(hsmtls_login)
%sized(hsmtls_identity_options)
%sized(hsmtls_identity_info)
%sized(hsmtls_identity_counters)
%immutable hsmtls_identity_info::key_uri;
%immutable hsmtls_identity_info::key_name;

// Whatever is a pointer in C, as CSTYPE.
%define %pointer_as(CSTYPE, TYPE...)
%typemap(ctype) TYPE "void *"
%typemap(imtype) TYPE "CSTYPE"
%typemap(cstype) TYPE "CSTYPE"
%typemap(in) TYPE "$1 = ($1_ltype)$input;"
%typemap(memberin) TYPE "$1 = $input;"
%typemap(out) TYPE "$result = (void *)$1;"
%typemap(csin) TYPE "$csinput"
%typemap(csout) TYPE "{ return $imcall; }"
%typemap(csvarin) TYPE "set { $imcall; }"
%typemap(csvarout) TYPE "get { return $imcall; }"
%enddef
%pointer_as(nint, const void *)
%pointer_as(nint, void *)
%pointer_as(nint, const uint8_t *)
%pointer_as(nint, hsmtls_pin_fn)
%pointer_as(nint, hsmtls_event_fn)
%pointer_as(nint, hsmtls_release_fn)
%pointer_as(IdentityHandle, hsmtls_identity *)
%pointer_as(IdentityHandle, const hsmtls_identity *)
%pointer_as(ErrorHandle, hsmtls_error *)
%pointer_as(ErrorHandle, const hsmtls_error *)

// Text is what comes back, borrowed of a handle that is alive until the call returns; but for these
// members, which are written only.
%pointer_as(nint, const char *)
%typemap(cstype) const char * "string"
%typemap(csout) const char * "{ return Text.Copied($imcall); }"
%typemap(csvarout) const char * "get { return Text.Copied($imcall); }"
%pointer_as(nint, const char *key)
%pointer_as(nint, const char *certificate)
%pointer_as(nint, const char *module)
%pointer_as(nint, const char *pin_source)

// Outputs.
%define %output_as(CSTYPE, TYPE)
%typemap(ctype) TYPE "void *"
%typemap(imtype) TYPE "out CSTYPE"
%typemap(cstype) TYPE "out CSTYPE"
%typemap(in) TYPE "$1 = ($1_ltype)$input;"
%typemap(csin) TYPE "out $csinput"
%enddef
%output_as(IdentityHandle, hsmtls_identity **out_identity)
%output_as(ErrorHandle, hsmtls_error **out_error)
%output_as(nint, struct evp_pkey_st **out_key)

%include "hsmtls/hsmtls.h"
%include "hsmtls/hsmtls_openssl.h"

// A SafeHandle is released by its bare address.
%rename("%s") release_identity;
%rename("%s") free_error;
%inline %{
static void release_identity(void *handle) { hsmtls_identity_release(handle); }
static void free_error(void *handle) { hsmtls_error_free(handle); }
%}
