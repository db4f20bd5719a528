#!/usr/bin/env python3
"""Every limit has a test that names it: a NAME_MAX of gatewayd/ or plugins/ appears in a file under tests/."""
import re

import maps
import tree


def check(root):
    tests = ""
    for path in tree.files(root, ".c", ".h", ".py", ".js", ".mjs", under=("tests",)):
        if not path.startswith("tests/lint/"):
            tests += tree.text(root, path) + "\n"
    named = set(re.findall(r"\b[A-Z][A-Z0-9_]*_MAX\b", tests))
    found = []
    for path in tree.files(root, ".h", under=("gatewayd", "plugins")):
        source = tree.text(root, path)
        for name in sorted(maps.defined_limits(source) - named):
            line = tree.line_of(source, re.search(rf"\b{name}\b", tree.code(source)).start())
            found.append(f"{path}:{line}: no test names {name}")
    return found


if __name__ == "__main__":
    tree.run(check)
