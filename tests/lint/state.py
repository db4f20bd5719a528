#!/usr/bin/env python3
"""No mutable state at file scope and none hidden in a function: every module is a struct of which a test makes two."""
import re

import tree


def is_mutable(head):
    """head: a declaration up to its = or ; . True when it declares an object that can change."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", head, flags=re.S)
    head = re.sub(r"\[[^\]]*\]", " ", head)
    pointer = re.match(r"[^(]*\(\s*\*([^)]*)\)", head)
    if pointer:
        return "const" not in pointer[1].split()
    if "(" in head:
        return False
    after_star = head.rsplit("*", 1)[-1]
    return "const" not in after_star.split()


def declarations(plain):
    """(offset, text, is_body_following) of what stands at depth 0, initialisers and bodies left out."""
    depth = 0
    start = None
    head = []
    for offset, char in enumerate(plain):
        if depth == 0 and start is None and not char.isspace():
            start = offset
        if char == "{":
            if depth == 0:
                head.append("{")
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                head.append("}")
                text = "".join(head).strip()
                if re.search(r"\)\s*(?:(?!static\b|struct\b|union\b|enum\b)\w+\s*)*\{\}$", text) and "=" not in text:
                    start, head = None, []
        elif depth == 0:
            head.append(char)
            if char == ";":
                yield start, "".join(head).strip()
                start, head = None, []


def file_scope(path, plain):
    for offset, text in declarations(plain):
        text = text.rstrip(";").strip()
        if not text or re.match(r"(typedef|extern|_Static_assert|static_assert)\b", text):
            continue
        if re.fullmatch(r"(?:\w+\s+)*(?:struct|union|enum)\b\s*\w*\s*(\{\})?(?:\s*__attribute__.*)?", text, re.S):
            continue
        # A header declares functions by their type: method_fn method_hello, method_status;
        if path.endswith(".h") and re.fullmatch(r"\w+_fn\s+\w+(?:\s*,\s*\w+)*", text):
            continue
        head = text.split("=")[0]
        if re.match(r"\w+\s*\(", head) and "=" not in text:
            continue
        if is_mutable(head):
            yield f"{path}:{tree.line_of(plain, offset)}: mutable at file scope: {' '.join(head.split())[:60]}"


def in_functions(path, plain):
    for m in re.finditer(r"^[ \t]+static\s+([^;={]*)", plain, re.M):
        if re.match(r"(inline|_Noreturn)\b", m[1]):
            continue
        if is_mutable(m[1]):
            yield f"{path}:{tree.line_of(plain, m.start(1))}: static in a function: {' '.join(m[1].split())[:60]}"


def check(root):
    found = []
    for path in tree.files(root, ".c", ".h", under=("gatewayd", "plugins")):
        plain = tree.code(tree.text(root, path))
        plain = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", tree.blank, plain, flags=re.M)
        found += file_scope(path, plain)
        found += in_functions(path, plain)
    return found


if __name__ == "__main__":
    tree.run(check)
