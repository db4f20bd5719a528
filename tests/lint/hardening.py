#!/usr/bin/env python3
"""What the release build makes is hardened: readelf sees it in each program and plugin.

    hardening.py BUILD      a build folder of ./dev's release kind
"""
import pathlib
import re
import subprocess
import sys


def readelf(option, path):
    return subprocess.run(["readelf", "--wide", option, str(path)], capture_output=True, text=True, check=True).stdout


def has_landing_pad(path):
    """The property note is lost with the C start-up files of Debian 12, so the code itself is asked."""
    text = subprocess.run(["objdump", "--disassemble=main", str(path)], capture_output=True, text=True, check=True).stdout
    return bool(re.search(r"<main>:\n[^\n]*endbr64", text))


def check_file(path):
    header = readelf("--file-header", path)
    segments = readelf("--program-headers", path)
    dynamic = readelf("--dynamic", path)
    symbols = readelf("--symbols", path)
    is_plugin = path.suffix == ".so"
    if not re.search(r"Type:\s+DYN", header):
        yield "is not position independent"
    if "GNU_RELRO" not in segments:
        yield "has no relro"
    if not re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", dynamic):
        yield "binds late"
    if not re.search(r"GNU_STACK.*\bRW\b", segments):
        yield "has a stack that can be executed"
    if re.search(r"LOAD.*\bRWE\b", segments):
        yield "has a segment that can be written and executed"
    if re.search(r"\b(RPATH|RUNPATH)\b", dynamic):
        yield "looks for libraries in a path of its own"
    if "__stack_chk_fail" not in symbols:
        yield "has no stack protector"
    if "Advanced Micro Devices X86-64" in header and not is_plugin and not has_landing_pad(path):
        yield "has no control-flow protection"
    if not is_plugin and not re.search(r"__\w+_chk\b(?<!__stack_chk)", symbols.replace("__stack_chk_fail", "")):
        yield "has no fortified call"
    exported = re.findall(r"(?:FUNC|OBJECT)\s+GLOBAL\s+DEFAULT\s+\d+\s+(\w+)$", readelf("--dyn-syms", path), re.M)
    if is_plugin and exported != ["gwa_plugin_v1"]:
        yield f"exports {' '.join(exported) or 'nothing'}, not gwa_plugin_v1 alone"


def products(build):
    build = pathlib.Path(build)
    for path in sorted(build.glob("gatewayd*")) + sorted(build.glob("gatewayctl")) + sorted(build.glob("*.so")) + \
            sorted((build / "gatewayd").glob("gatewayd")):
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            yield path


def check(build):
    found = [f"{path.name}: {what}" for path in products(build) for what in check_file(path)]
    if not any(True for _ in products(build)):
        found.append("nothing was built")
    return found


if __name__ == "__main__":
    wrong = check(sys.argv[1])
    for line in wrong:
        print("not hardened:", line)
    sys.exit(1 if wrong else 0)
