/* Control of libhsmtls-chaos.so, a PKCS#11 module in front of another one that makes it misbehave on
 * command, from within the process that loaded it. README.md has the whole story; the language is:
 *
 *   script    = commands separated by ';' or newlines; '#' starts a comment, "..." quotes
 *   FUNCTION  = C_Sign, C_Login, ..., or * for any but the three that return function lists
 *   WHICH     = counted in calls from now: 3 (the third), 3.. (from the third on), 3..5, or * (every one)
 *   CKR       = CKR_DEVICE_ERROR, 0x30, ...
 *   DURATION  = 250us, 50ms, 2s
 *   SLOT      = slot=N, a slot ID; without it: all slots
 *
 *   fail FUNCTION WHICH CKR            the vendor is not called
 *   fail-after FUNCTION WHICH CKR      the vendor is called, then this value is returned
 *   delay FUNCTION [WHICH] DURATION    sleeps first; `clear` wakes it
 *   hang FUNCTION WHICH                does not go on before `release` (or `clear`)
 *   drop-sessions                      now: closes the sessions of all slots, as a token reset does
 *   drop-sessions-at FUNCTION WHICH    right before that call
 *   drop-sessions-every N FUNCTION     right before every Nth call
 *   release                            lets go of the calls that hang
 *   clear                              forgets all rules above, wakes and lets go
 *
 *   remove-token [SLOT]
 *   return-token [SLOT] [serial=TEXT] [needs-reinit]
 *   replace-key ID-HEX pin=TEXT [SLOT] the key pair with this CKA_ID becomes another one
 *   lock-pin, unlock-pin               the user PIN is locked; the vendor is not asked
 *   pin-flags FLAG...                  count-low, final-try, locked, to-be-changed, so-final-try,
 *                                      so-locked; none
 *   pin-pad [pin=TEXT] | off           PIN typed at the reader, here: TEXT; nobody types without it
 *   always-authenticate [pin=TEXT] | off
 *   limit-sessions N | off             at most N open sessions per token
 *   quiet-drops on | off               sessions are dropped only while no call is inside the vendor
 *
 *   write-counts [FILE]                without FILE: to HSMTLS_CHAOS_COUNTS
 *   reset                              everything as at load, without a script; counts 0
 *
 * All functions are thread safe. A script is checked as a whole before its first command runs. */
#ifndef HSMTLS_CHAOS_H
#define HSMTLS_CHAOS_H

#include <stdint.h>

#define HSMTLS_CHAOS_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* `hsmtls_chaos_run` runs a script: 0, or -1 and hsmtls_chaos_last_error() says why. */
HSMTLS_CHAOS_API int hsmtls_chaos_run(const char* script);

/* `hsmtls_chaos_last_error` returns what this thread's last failed call complained about; valid until
 * its next call, never NULL. */
HSMTLS_CHAOS_API const char* hsmtls_chaos_last_error(void);

/* `hsmtls_chaos_count` returns how often a function was called ("C_Sign"), or how often it returned a
 * value ("C_Login CKR_PIN_INCORRECT"). Both forms count what the application saw, including calls
 * that never reached the vendor. UINT64_MAX and an error text for a name that does not exist. */
HSMTLS_CHAOS_API uint64_t hsmtls_chaos_count(const char* function);

/* `hsmtls_chaos_total` returns the number of all calls but those of C_GetFunctionList, C_GetInterface
 * and C_GetInterfaceList. */
HSMTLS_CHAOS_API uint64_t hsmtls_chaos_total(void);

/* `hsmtls_chaos_reset` is the command `reset`. */
HSMTLS_CHAOS_API void hsmtls_chaos_reset(void);

#ifdef __cplusplus
}
#endif

#endif
