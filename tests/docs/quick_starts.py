"""The README's quick starts are the files that the tests run, and at most ten lines long.

usage: quick_starts.py ROOT
"""
import pathlib
import sys

FILES = ("python/quick_start.py", "node/quick_start.mjs", "dotnet/quick_start.cs", "cpp/quick_start.cpp")
LONGEST = 10

root = pathlib.Path(sys.argv[1])
readme = (root / "README.md").read_text(encoding="utf-8")
problems = []
for name in FILES:
    text = (root / "examples" / name).read_text(encoding="utf-8").rstrip()
    if f"\n{text}\n```" not in readme:
        problems.append(f"README.md does not show examples/{name} as it is")
    if (lines := sum(1 for line in text.splitlines() if line.strip())) > LONGEST:
        problems.append(f"examples/{name} has {lines} lines, more than {LONGEST}")
if problems:
    sys.exit("\n".join(problems))
