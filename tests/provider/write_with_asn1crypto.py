"""write_with_asn1crypto.py URI: prints the reference PEM as python3-asn1crypto makes it."""

import sys

from asn1crypto import core, pem


class Reference(core.Sequence):
    _fields = [("format", core.VisibleString), ("uri", core.UTF8String)]


reference = Reference({"format": "PKCS#11 Provider URI v1.0", "uri": sys.argv[1]})
print(pem.armor("PKCS#11 PROVIDER URI", reference.dump()).decode(), end="")
