"""Every test that the documentation cites exists, and every promise cites one.

A citation is `Suite.Name`, `Suite.Beginning…`, `suite.*`, or suite `Name` / suites `One`, `Two`. ctest puts the group's
name in front (pkcs11.Suite.Name).
"""

import pathlib
import re
import subprocess
import sys

ctest, build, source = sys.argv[1:]
source = pathlib.Path(source)

listing = subprocess.run(
    [ctest, "--test-dir", build, "--show-only"], check=True, capture_output=True, text=True).stdout
tests = re.findall(r"^ *Test +#\d+: (\S+)", listing, re.MULTILINE)
groups = {"unmodified", "provider", "install", "lint", "docs"}  # tests of these are named <group>.<name>


def cited(text):
    """The citations in a text, as regular expressions of test names, by what is written."""
    found = {}
    for name in re.findall(r"`([A-Za-z]\w*\.(?:\w+…?|\*))`", text):
        suite, rest = name.split(".")
        if suite in groups or re.fullmatch(r"[A-Z]\w*\.(?:[A-Z]\w*…?|\*)", name):
            rest = re.escape(rest.rstrip("…*")) + (r".*" if rest[-1] in "…*" else "")
            found[name] = rf"(?:\w+\.)*{suite}\.{rest}(?:/.*)?"
    for list_ in re.findall(r"\bsuites? ((?:`\w+`(?:, | and )?)+)", text):
        for suite in re.findall(r"`(\w+)`", list_):
            found[f"suite {suite}"] = rf"(?:\w+\.)*{suite}\..+"
    return found


wrong = []
count = 0
promising = [source / "docs/reliability.md", source / "docs/provider.md"]
for file in [*promising, *sorted((source / "docs/adr").glob("*.md"))]:
    for name, pattern in cited(file.read_text()).items():
        count += 1
        if not any(re.fullmatch(pattern, test) for test in tests):
            wrong.append(f"{file.name} cites a test that does not exist: {name}")

promises = 0
for file in promising:
    table = file.read_text().split("## Promised")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    promises += len(rows)
    wrong += [f"{file.name} promises without a test: {row}" for row in rows if not cited(row.split("|")[-2])]
    wrong += [f"{file.name} has no table of promises"] * (len(rows) < 5)

not_built = [test for test in tests if test.endswith("_NOT_BUILT")]
if wrong and not_built:
    wrong.append(f"(these programs are not built, so their tests are not known: {' '.join(not_built)})")
print(f"{count} citations, {promises} promises, {len(tests)} tests")
sys.exit("\n".join(wrong) or 0)
