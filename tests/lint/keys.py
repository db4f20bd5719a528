#!/usr/bin/env python3
"""No key, and no password that every installation would share, is in the tree."""
import math
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

# Where known answers live: what is random there is in a standard, or was computed by the test's author for all to see.
KNOWN_ANSWERS = ("tests/unit/", "tests/flow/", "tests/plugin/", "tests/fuzz/", "tests/sim/", "tests/bench/", "tests/portability/", "tests/lint/", "tests/radio/")
# Sixteen bytes or more that look drawn: as hexadecimal, as base64, or as a list of numbers.
HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,}(?![0-9A-Za-z])")
BASE64 = re.compile(r"(?<![0-9A-Za-z+/_=-])[0-9A-Za-z+/_-]{22,}={0,2}(?![0-9A-Za-z+/_-])")
BYTES = re.compile(r"(?:(?:0[xX][0-9a-fA-F]{1,2}|\d{1,3})[uU]?\s*,\s*){15,}(?:0[xX][0-9a-fA-F]{1,2}|\d{1,3})")
ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2}){16,}")


def entropy(symbols):
    """Bits a symbol, as this text alone tells."""
    counts = [symbols.count(symbol) for symbol in set(symbols)]
    return -sum(n / len(symbols) * math.log2(n / len(symbols)) for n in counts)


def is_drawn(data):
    """Bytes without order: nearly all different, neither counted up nor a row of equals."""
    steps = {(b - a) % 256 for a, b in zip(data, data[1:])}
    return len(data) >= 16 and len(set(data)) >= 0.6 * min(len(data), 64) and len(steps) > 0.6 * min(len(data), 64)


def is_drawn_text(text):
    """Base64 of random bytes has capitals, small letters and digits all over it; names and paths have words."""
    text = text.rstrip("=")
    classes = [re.findall(pattern, text) for pattern in ("[A-Z]", "[a-z]", "[0-9]")]
    changes = sum(a.isupper() != b.isupper() or a.isdigit() != b.isdigit() for a, b in zip(text, text[1:]))
    return all(classes) and entropy(text) > 3.8 and changes > 0.4 * len(text)


def literals(path, source):
    """(offset, text) of whatever may hold one: strings of programs, all of a configuration."""
    if not path.endswith((".c", ".h", ".py")):
        return [(0, source)]
    return [(m.start(), m[0]) for m in re.finditer(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\{[^{}"]*\}|\[[^\[\]"]*\]', source)]


def drawn(path, source):
    """Offsets of literals that look like keys."""
    for at, text in literals(path, source):
        for m in HEX.finditer(text):
            if is_drawn(bytes.fromhex(m[0][: len(m[0]) & ~1])):
                yield at + m.start()
        for m in BASE64.finditer(text):
            if is_drawn_text(m[0]):
                yield at + m.start()
        for m in BYTES.finditer(text):
            numbers = [int(n, 16 if n[:2] in ("0x", "0X") else 10) for n in re.findall(r"0[xX][0-9a-fA-F]+|\d+", m[0])]
            if max(numbers) > 127 and max(numbers) < 256 and is_drawn(numbers):
                yield at + m.start()
        for m in ESCAPES.finditer(text):
            if is_drawn(bytes.fromhex(m[0].replace("\\x", ""))):
                yield at + m.start()


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
        if path.endswith((".c", ".h", ".py", ".conf", ".yaml", ".acl", ".service", ".sh", ".js", ".mjs")) and not path.startswith(KNOWN_ANSWERS):
            for at in sorted(set(drawn(path, source))):
                found.append(f"{path}:{tree.line_of(source, at)}: looks like a key: sixteen bytes or more without order")
        if path.split("/")[0] in SHIPPED and not path.endswith(".md"):
            for m in ASSIGN.finditer(source):
                found.append(f"{path}:{tree.line_of(source, m.start())}: a built-in password or token")
    return found


if __name__ == "__main__":
    tree.run(check)
