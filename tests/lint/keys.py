#!/usr/bin/env python3
"""No key, and no password that every installation would share, is in the tree."""
import re

import tree

KEY_FILES = (".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".keytab")
BLOCK = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*(?:\\n)?[\"']?\s*[A-Za-z0-9+/]{20}")
# What is shipped: a value given to something that is called a password or token there is a default one.
SHIPPED = ("conf", "debian", "systemd", "gatewayd", "plugins", "packaging")
ASSIGN = re.compile(
    r"\b\w*(?:passw(?:or)?d|passphrase|secret|token|api_?key)\b\s*[\"']?\s*[:=]\s*[\"']([^\"'$<{%\s][^\"'$<{%\s]{3,})[\"']",
    re.I)
KNOWN = re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[baprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{36})\b")


def check(root):
    found = []
    for path in tree.files(root):
        if path.endswith(KEY_FILES):
            found.append(f"{path}:1: a key file")
            continue
        if not tree.is_text(root, path):
            continue
        source = tree.text(root, path)
        for pattern, what in ((BLOCK, "a private key"), (KNOWN, "a token of some service")):
            for m in pattern.finditer(source):
                found.append(f"{path}:{tree.line_of(source, m.start())}: {what}")
        if path.split("/")[0] in SHIPPED and not path.endswith(".md"):
            for m in ASSIGN.finditer(source):
                found.append(f"{path}:{tree.line_of(source, m.start())}: a built-in password or token")
    return found


if __name__ == "__main__":
    tree.run(check)
