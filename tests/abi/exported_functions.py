"""What libhsmtls.so exports is what the headers declare and exports.txt lists: no more, no less.

A name is never taken off the list: programs that were linked with it would not start any more.
"""

import pathlib
import re
import subprocess
import sys

library, headers, listed = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

symbols = subprocess.run(
    ["nm", "--dynamic", "--defined-only", library], check=True, capture_output=True, text=True).stdout
exported = {line.split()[-1].split("@")[0] for line in symbols.splitlines() if " A " not in line}
wanted = set(listed.read_text().split())
declared = {name for header in headers.glob("*.h")
            for name in re.findall(r"^HSMTLS_API [^;(]*?\b(hsmtls_\w+)\(", header.read_text(), re.MULTILINE)}
# What libcrypto looks up in a provider's file (provider(7)); no header of ours declares it.
declared.add("OSSL_provider_init")

problems = []
for what, names in (("exported, and not in exports.txt", exported - wanted),
                    ("in exports.txt, and not exported", wanted - exported),
                    ("declared, and not in exports.txt", declared - wanted),
                    ("in exports.txt, and not declared", wanted - declared)):
    if names:
        problems.append(f"{what}: {' '.join(sorted(names))}")
if problems:
    sys.exit("\n".join(problems))
