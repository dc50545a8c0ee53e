/* The structs of the C face are where programs that were compiled long ago expect their fields. Only
 * compiled, never run. A field is added at the end, and its line here with it. */
#include <stddef.h>

#include "hsmtls/hsmtls.h"
#include "hsmtls/hsmtls_openssl.h"

/* `after`: the field that comes before it. No compiler puts anything in between: what it puts there
 * nobody would zero, and the next field that is added would be read from it. */
#define FIRST(type, field) _Static_assert(offsetof(type, field) == 0, #type "." #field)
#define NEXT(type, field, after)                                                             \
  _Static_assert(offsetof(type, field) == offsetof(type, after) + sizeof(((type*)0)->after), \
                 #type "." #field)
#define LAST(type, field, size_of_64_bits)                                            \
  _Static_assert(sizeof(type) == offsetof(type, field) + sizeof(((type*)0)->field) && \
                     (sizeof(void*) != 8 || sizeof(type) == (size_of_64_bits)),       \
                 #type)

FIRST(hsmtls_login, struct_size);
NEXT(hsmtls_login, pin_len, struct_size);
NEXT(hsmtls_login, pin, pin_len);
NEXT(hsmtls_login, pin_fn, pin);
NEXT(hsmtls_login, pin_user, pin_fn);
NEXT(hsmtls_login, pin_source, pin_user);
NEXT(hsmtls_login, forget_pin, pin_source);
NEXT(hsmtls_login, insist, forget_pin);
LAST(hsmtls_login, insist, 48);

FIRST(hsmtls_event, type);
NEXT(hsmtls_event, mechanism, type);
NEXT(hsmtls_event, microseconds, mechanism);
LAST(hsmtls_event, microseconds, 16);

FIRST(hsmtls_identity_options, struct_size);
NEXT(hsmtls_identity_options, deadline_ms, struct_size);
NEXT(hsmtls_identity_options, key, deadline_ms);
NEXT(hsmtls_identity_options, certificate, key);
NEXT(hsmtls_identity_options, module, certificate);
NEXT(hsmtls_identity_options, login, module);
NEXT(hsmtls_identity_options, require, login);
NEXT(hsmtls_identity_options, flags, require);
NEXT(hsmtls_identity_options, on_event, flags);
NEXT(hsmtls_identity_options, event_user, on_event);
NEXT(hsmtls_identity_options, event_release, event_user);
LAST(hsmtls_identity_options, event_release, 72);

FIRST(hsmtls_identity_info, struct_size);
NEXT(hsmtls_identity_info, key_type, struct_size);
NEXT(hsmtls_identity_info, key_bits, key_type);
NEXT(hsmtls_identity_info, key_flags, key_bits);
NEXT(hsmtls_identity_info, key_uri, key_flags);
NEXT(hsmtls_identity_info, key_name, key_uri);
NEXT(hsmtls_identity_info, num_certificates, key_name);
NEXT(hsmtls_identity_info, reserved, num_certificates);
LAST(hsmtls_identity_info, reserved, 40);

FIRST(hsmtls_identity_counters, struct_size);
NEXT(hsmtls_identity_counters, open_sessions, struct_size);
NEXT(hsmtls_identity_counters, lost, open_sessions);
NEXT(hsmtls_identity_counters, restored, lost);
NEXT(hsmtls_identity_counters, signatures, restored);
NEXT(hsmtls_identity_counters, failed_signatures, signatures);
LAST(hsmtls_identity_counters, failed_signatures, 40);

FIRST(hsmtls_token_info, struct_size);
NEXT(hsmtls_token_info, reserved, struct_size);
NEXT(hsmtls_token_info, uri, reserved);
NEXT(hsmtls_token_info, label, uri);
NEXT(hsmtls_token_info, serial, label);
NEXT(hsmtls_token_info, model, serial);
NEXT(hsmtls_token_info, manufacturer, model);
NEXT(hsmtls_token_info, module, manufacturer);
NEXT(hsmtls_token_info, slot_id, module);
NEXT(hsmtls_token_info, flags, slot_id);
LAST(hsmtls_token_info, flags, 72);

FIRST(hsmtls_object_info, struct_size);
NEXT(hsmtls_object_info, object_class, struct_size);
NEXT(hsmtls_object_info, key_type, object_class);
NEXT(hsmtls_object_info, key_flags, key_type);
NEXT(hsmtls_object_info, uri, key_flags);
NEXT(hsmtls_object_info, label, uri);
NEXT(hsmtls_object_info, id, label);
NEXT(hsmtls_object_info, id_len, id);
NEXT(hsmtls_object_info, value_len, id_len);
NEXT(hsmtls_object_info, value, value_len);
LAST(hsmtls_object_info, value, 56);

FIRST(hsmtls_trust, struct_size);
NEXT(hsmtls_trust, system, struct_size);
NEXT(hsmtls_trust, file, system);
NEXT(hsmtls_trust, text, file);
NEXT(hsmtls_trust, folder, text);
LAST(hsmtls_trust, folder, 32);

FIRST(hsmtls_tls_options, struct_size);
NEXT(hsmtls_tls_options, role, struct_size);
NEXT(hsmtls_tls_options, server_name, role);
NEXT(hsmtls_tls_options, trust, server_name);
NEXT(hsmtls_tls_options, alpn, trust);
NEXT(hsmtls_tls_options, min_version, alpn);
NEXT(hsmtls_tls_options, max_version, min_version);
NEXT(hsmtls_tls_options, flags, max_version);
NEXT(hsmtls_tls_options, reserved, flags);
LAST(hsmtls_tls_options, reserved, 48);

/* An enumeration of C99 may be of any size; ours are never part of a struct or an argument, only
 * their values are. */
_Static_assert(HSMTLS_ABI_MAJOR == 1, "another first number is another library");
