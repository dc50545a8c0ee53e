"""A long-lived program on Debian's PyKCS11: logs in and finds the key once, then signs for each line on stdin.

Says "signed" or "failed: reason". Arguments: module, token label, PIN, key label. Knows nothing of hsmtls.
"""
import sys

import PyKCS11
from PyKCS11 import LowLevel


def main(module, token, pin, label):
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    slot = next(slot for slot in library.getSlotList(tokenPresent=True)
                if library.getTokenInfo(slot).label.strip() == token)
    session = library.openSession(slot, LowLevel.CKF_SERIAL_SESSION | LowLevel.CKF_RW_SESSION)
    session.login(pin)
    private, = session.findObjects([(LowLevel.CKA_CLASS, LowLevel.CKO_PRIVATE_KEY), (LowLevel.CKA_LABEL, label)])
    mechanism = PyKCS11.Mechanism(LowLevel.CKM_ECDSA, None)
    while True:
        try:
            signature = session.sign(private, bytes(range(32)), mechanism)
            print("signed" if len(signature) == 64 else f"failed: {len(signature)} bytes", flush=True)
        except PyKCS11.PyKCS11Error as error:
            print(f"failed: {error}", flush=True)
        if not sys.stdin.readline():
            break
    try:
        session.logout()
        session.closeSession()
    except PyKCS11.PyKCS11Error:
        pass  # on the bare module the session is gone


main(*sys.argv[1:])
