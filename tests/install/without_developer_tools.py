"""The preset that README names for a product: configured, and looked at for what it would build and install.

Building it would take as long as the tree that the tests run in, from the same sources: whether that works is shown there.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

cmake, source, scratch, compiler = sys.argv[1:]
source = pathlib.Path(source)
readme = (source / "README.md").read_text()
presets = json.loads((source / "CMakePresets.json").read_text())

for option, kind in (("cmake --preset", "configurePresets"), ("cmake --build --preset", "buildPresets")):
    named = set(re.findall(rf"{option} ([\w-]+)", readme))
    assert "product" in named, f"README does not say: {option} product"
    missing = named - {preset["name"] for preset in presets[kind]}
    assert not missing, f"README names presets that are not in {kind}: {missing}"
assert "cmake --install build/product" in readme, "README installs something else than build/product"

tree = pathlib.Path(tempfile.mkdtemp(prefix="product.", dir=scratch))
try:
    subprocess.run(
        [cmake, "--preset", "product", "-B", tree, f"-DCMAKE_CXX_COMPILER={compiler}"],
        cwd=source, check=True, stdout=subprocess.DEVNULL)
    # What is of a component alone (a package for a language) is not installed below a prefix.
    installs = [block for script in tree.rglob("cmake_install.cmake")
                for part in re.split(r"^if\(CMAKE_INSTALL_COMPONENT", script.read_text(), flags=re.MULTILINE)[1:]
                if part.startswith(' STREQUAL "Unspecified" OR NOT')
                for block in re.findall(r"file\(INSTALL .*? FILES (.*?)\)$", part, re.DOTALL | re.MULTILINE)]
    files = {pathlib.Path(file).name for block in installs for file in re.findall(r'"([^"]+)"', block.split(" FILES_MATCHING ")[0])}
    product = {"libhsmtls-pkcs11.so", "libhsmtls.so", "libhsmtls-legacy.so", "hsmtls.so", "openssl.cnf", "hsmtls", "hsmtls.pc", "hsmtlsConfig.cmake", "hsmtlsConfigVersion.cmake"}
    assert {name for name in files if not name.startswith("hsmtlsConfig-")} == product, f"the product installs {files}"
    steps = subprocess.run(
        [cmake, "--build", tree, "--", "-n", "-v"], check=True, capture_output=True, text=True).stdout
    for library in ("libhsmtls-pkcs11.so", "libhsmtls.so"):
        assert library in steps, f"the product does not build {library}"
    for foreign in ("/chaos/", "/tests/", "/examples/", "gtest"):
        assert foreign not in steps, f"the product builds something of {foreign}"
    cache = (tree / "CMakeCache.txt").read_text()
    assert "CMAKE_BUILD_TYPE:STRING=RelWithDebInfo" in cache, "the product is not optimised"
finally:
    shutil.rmtree(tree)
