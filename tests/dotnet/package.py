"""The NuGet package holds what it must and nothing else: the libraries side by side, no links, nothing named hsmtls.so."""

import stat
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as package:
    entries = package.infolist()
    specification = package.read("HsmTls.nuspec").decode()
names = [entry.filename for entry in entries]
print(*names, sep="\n")
native = [name for name in names if name.startswith("runtimes/")]
assert len({name.rpartition("/")[0] for name in native}) == 1, "the libraries are not in one folder"
assert sorted(name.rpartition("/")[2] for name in native) == [
    "libhsmtls-legacy.so", "libhsmtls-pkcs11.so", "libhsmtls.so", "libhsmtls_dotnet.so"]
assert not any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries), "it has links"
for framework in {name.split("/")[1] for name in names if name.startswith("lib/")}:
    assert {f"lib/{framework}/HsmTls.dll", f"lib/{framework}/HsmTls.xml"} <= set(names), framework
assert "lib/net10.0/HsmTls.dll" in names and "README.md" in names
assert "<dependency " not in specification, "it needs another package"
