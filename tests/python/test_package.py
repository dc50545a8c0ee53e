"""The package as people install it."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import hsmtls
from support import TestCase, file, uri

PACKAGE = pathlib.Path(hsmtls.__file__).parent
SOURCES = pathlib.Path(__file__).parents[2] / "python"


class Package(TestCase):
    def test_installed_is_whole_and_needs_no_other_file(self):
        with tempfile.TemporaryDirectory(dir=file("")) as prefix:
            subprocess.run(
                ["cmake", "--install", os.environ["HSMTLS_TEST_BUILD"], "--component", "python", "--prefix", prefix],
                check=True, stdout=subprocess.DEVNULL)
            self.assertEqual(sorted(os.listdir(prefix)), ["hsmtls"])
            self.assertEqual(
                sorted(os.listdir(f"{prefix}/hsmtls")), sorted(set(os.listdir(PACKAGE)) - {"__pycache__"}))
            said = self.run_program(
                "-c", f"import hsmtls; print(hsmtls.__file__, hsmtls.Identity.open({uri('ec')!r}).info.key_name)",
                env={**os.environ, "PYTHONPATH": prefix})
            self.assertEqual(said, f"{prefix}/hsmtls/__init__.py EC P-256\n")

    def test_has_no_file_that_import_would_take_for_it(self):
        self.assertEqual([name for name in os.listdir(PACKAGE) if name.startswith("hsmtls.")], [])

    def test_links_no_openssl(self):
        for library in PACKAGE.glob("*.so"):
            dynamic = subprocess.run(["readelf", "--dynamic", library], capture_output=True, text=True, check=True)
            self.assertNotRegex(dynamic.stdout, "NEEDED.*lib(ssl|crypto)")

    def test_has_the_version_of_its_metadata(self):
        metadata = (SOURCES / "pyproject.toml").read_text(encoding="utf-8")
        self.assertEqual(re.findall('^version = "(.+)"$', metadata, re.MULTILINE), [hsmtls.__version__])

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
    def test_types_are_as_it_says(self):
        environment = {**os.environ, "MYPYPATH": str(PACKAGE.parent), "MYPY_CACHE_DIR": file("mypy")}
        # Its metaclass is pybind11's.
        pathlib.Path(file("allowed")).write_text("hsmtls._core.Identity\n", encoding="ascii")
        for check in (["mypy", "--strict", "-p", "hsmtls"],
                      ["mypy.stubtest", "hsmtls._core", "--allowlist", file("allowed")]):
            ended = subprocess.run(
                [sys.executable, "-m", *check], capture_output=True, text=True, env=environment, cwd=file(""))
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)


if __name__ == "__main__":
    unittest.main()
