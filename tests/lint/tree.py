"""What every lint here shares: which files there are, C without its comments, and how a lint is run.

A lint is a module with check(root), which returns findings as text: "path:line: what". A lint's own words are
spelled so that it does not find itself.
"""
import os
import pathlib
import re
import sys

SKIP = {".git", "build", "node_modules", "__pycache__", ".pytest_cache"}

# The rows of docs/ARCHITECTURE.md: a lower row never includes a higher one, names in a row never each other.
ROWS = [
    ["base"],
    ["sys"],
    ["model", "vault"],
    ["conf", "remote"],
    ["audit", "spool"],
    ["adapter", "custody"],
    ["registry", "people", "policy"],
    ["router"],
    ["door", "link"],
]
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row}
APP_RANK = len(ROWS)
# Programs beside the core, and plugins: they stand on base, sys, model and conf only.
BESIDE = ["linkd", "api", "ctl", "clock", "verify"]
GROUND_RANK = 3


def files(root, *endings, under=("",)):
    """Paths relative to root, sorted, of the files that end so and lie under one of the folders."""
    found = []
    for base in under:
        for folder, folders, names in os.walk(pathlib.Path(root) / base):
            folders[:] = [f for f in folders if f not in SKIP]
            for name in names:
                # A pipe or a device would keep its reader for ever.
                if (not endings or name.endswith(endings)) and pathlib.Path(folder, name).is_file():
                    found.append(str(pathlib.Path(folder, name).relative_to(root)))
    return sorted(set(found))


def text(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


def is_text(root, path):
    with open(pathlib.Path(root) / path, "rb") as f:
        return b"\0" not in f.read(4096)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def code(source, strings=True):
    """C with its comments (and the inside of its strings, unless told) blanked; lines keep their numbers."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def one(m):
        if m[0][0] == "/":
            return blank(m)
        return m[0] if not strings else m[0][0] + " " * (len(m[0]) - 2) + m[0][-1]

    return re.sub(pattern, one, source, flags=re.S)


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


def includes(source):
    """(line, name) of each #include "..." """
    plain = re.sub(r"/\*.*?\*/", blank, source, flags=re.S)
    return [(line_of(plain, m.start()), m[1])
            for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"', plain, re.M)]


def library_includes(source):
    plain = re.sub(r"/\*.*?\*/", blank, source, flags=re.S)
    return [(line_of(plain, m.start()), m[1])
            for m in re.finditer(r"^[ \t]*#[ \t]*include[ \t]+<([^>\n]+)>", plain, re.M)]


def run(check, argv=None):
    """The end of every lint: check(root, rest of the arguments), print, exit code."""
    argv = sys.argv if argv is None else argv
    root = argv[1] if len(argv) > 1 else "."
    found = check(root, *argv[2:])
    for line in found:
        print(line)
    print(f"{pathlib.Path(argv[0]).name}: {len(found)} found")
    sys.exit(1 if found else 0)
