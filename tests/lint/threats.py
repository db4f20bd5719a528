#!/usr/bin/env python3
"""docs/THREATS.md names tests that are there, and every row of its tables names one."""
import pathlib
import re

import tree

PAGE = "docs/THREATS.md"


def check(root):
    if not (pathlib.Path(root) / PAGE).exists():
        return [f"{PAGE}:1: is not there"]
    found = []
    for number, line in enumerate(tree.text(root, PAGE).split("\n"), 1):
        if not line.startswith("|") or line.startswith(("|---", "| who and what")):
            continue
        names = line.strip("| ").split("|")[-1].split()
        if not names or not all(name.startswith("tests/") for name in names):
            found.append(f"{PAGE}:{number}: the last column must name tests and nothing else")
            continue
        for name in names:
            path, _, function = name.partition("::")
            if not (pathlib.Path(root) / path).is_file():
                found.append(f"{PAGE}:{number}: no test file {path}")
            elif function and not re.search(rf"\b{re.escape(function)}\b", tree.text(root, path)):
                found.append(f"{PAGE}:{number}: {path} has no {function}")
    return found


if __name__ == "__main__":
    tree.run(check)
