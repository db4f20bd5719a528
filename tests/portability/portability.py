#!/usr/bin/env python3
"""Does it work on the small machines? Unit tests as armhf and arm64 under qemu-user; every source in musl's eyes.

    portability.py OUT [armhf] [arm64] [musl]     OUT keeps the sysroots and builds; prints "passed failed" last

armhf of Debian 12 has a 32-bit time_t, size_t and long. What would cut a 64-bit time or length there is an error of
-Wconversion in that build; what would cut it at run time is what the unit tests run for. A sysroot is kept as long as
its list of packages is the same, so a second run only compiles and tests.

Tests that do one thing thousands of times and die in between (NATIVE) are compiled here and run natively only: they are
about the order of writes, which is the same everywhere, and an emulator needs minutes for each. arm64 is to these programs what
the machine that builds them is, a little-endian one of 64 bits: all of them are compiled for it, and those tests run that look where they differ (AGAIN).
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NATIVE = {"vault_power", "vault_killed", "vault_faults", "db_rewrite", "db_damage", "custody", "custody_cut", "audit_killed", "audit_mutations",
          "audit_tree", "db_canaries", "retain"}
# What is run on arm64 as well: where instructions, the order of bytes and what a char is could tell it from the machine that builds.
AGAIN = {"ble_bthome", "box", "bytes", "capability", "crypto", "db_keys", "db_page", "device_id", "heap", "host", "json", "kat", "list", "loop", "packet", "record", "seal", "sign", "stream", "text", "tls", "value", "wire", "zigbee_mt", "zigbee_zcl"}
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
import tally

PACKAGES = ["libc6-dev", "libuv1-dev", "libsqlite3-dev", "libsodium-dev", "libssl-dev", "libyaml-dev", "libjansson-dev",
            "libmosquitto-dev", "libseccomp-dev", "libdbus-1-dev", "libcmocka-dev", "uthash-dev"]
# name: Debian's triplet, qemu, meson's cpu_family and cpu
MACHINES = {
    "armhf": ("arm-linux-gnueabihf", "qemu-arm-static", "arm", "armv7"),
    "arm64": ("aarch64-linux-gnu", "qemu-aarch64-static", "aarch64", "aarch64"),
}
MUSL_HEADERS = ["linux", "asm-generic", "mtd", "uv.h", "uv", "sqlite3.h", "sqlite3ext.h", "sodium.h", "sodium", "openssl",
                "yaml.h", "jansson.h", "jansson_config.h", "mosquitto.h", "mqtt_protocol.h", "seccomp.h", "seccomp-syscalls.h",
                "uthash.h", "utlist.h", "utarray.h", "utstring.h"]
MUSL_ARCH_HEADERS = ["asm", "openssl"]
MUSL_DBUS_FOLDERS = ["/usr/include/dbus-1.0", "/usr/lib/x86_64-linux-gnu/dbus-1.0/include"]  # as pkg-config names them
MUSL_FLAGS = ["-std=c17", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
              "-Wno-sign-conversion", "-Werror", "-fsyntax-only"]


def call(argv, log, **more):
    with open(log, "ab") as out:
        out.write(("$ " + shlex.join(map(str, argv)) + "\n").encode())
        out.flush()
        return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, check=False, **more).returncode


def archive():
    """The address this machine's own packages of "main" come from."""
    text = subprocess.run(["apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(CODENAME) $(COMPONENT)"],
                          capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        kind, *rest = line.split()
        if kind == "Packages" and rest[1:] == ["bookworm", "main"]:
            return rest[0]
    raise SystemExit("portability: apt has no bookworm main")


def sysroot(out, arch, log):
    """Headers and libraries of another architecture, unpacked only. Security's index is left out: main is enough to test."""
    key = hashlib.sha256(" ".join([arch] + PACKAGES).encode()).hexdigest()[:12]
    root = out / f"{arch}-{key}"
    if (root / ".whole").exists():
        lead_inside(root, arch)
        return root
    for old in out.glob(f"{arch}-*"):
        shutil.rmtree(old, ignore_errors=True)
    code = call(["mmdebstrap", "--variant=extract", f"--arch={arch}", "--include=" + ",".join(PACKAGES),
                 "bookworm", root, f"deb {archive()} bookworm main"], log)
    if code:
        return None
    (root / ".whole").touch()
    lead_inside(root, arch)
    return root


def lead_inside(root, arch):
    """Libraries that are links from the root on lead out of a sysroot: to nothing, and meson takes the static one."""
    for link in (root / "usr/lib" / MACHINES[arch][0]).glob("*.so"):
        if link.is_symlink() and os.readlink(link).startswith("/"):
            target = os.path.relpath(f"{root}{os.readlink(link)}", link.parent)
            link.unlink()
            link.symlink_to(target)


def cross_file(out, arch, root):
    triplet, qemu, family, cpu = MACHINES[arch]
    path = out / f"{arch}.ini"
    path.write_text(f"""[binaries]
c = '{triplet}-gcc'
ar = '{triplet}-ar'
strip = '{triplet}-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['{qemu}', '-L', '{root}']

[properties]
sys_root = '{root}'
pkg_config_libdir = '{root}/usr/lib/{triplet}/pkgconfig:{root}/usr/share/pkgconfig'

[built-in options]
c_args = ['--sysroot={root}']
c_link_args = ['--sysroot={root}']

[host_machine]
system = 'linux'
cpu_family = '{family}'
cpu = '{cpu}'
endian = 'little'
""")
    return path


def machine(out, arch):
    """(passed, failed) of the unit tests built for arch."""
    log = out / f"{arch}.log"
    log.unlink(missing_ok=True)
    root = sysroot(out, arch, log)
    if not root:
        return show(log, f"{arch}: no sysroot")
    build = out / f"{arch}-build"
    cross = cross_file(out, arch, root)
    options = build / ".for"
    if not options.exists() or options.read_text() != str(root):
        shutil.rmtree(build, ignore_errors=True)
        if call(["meson", "setup", "--cross-file", cross, "-Dbuildtype=plain", "-Doptimization=1", build, ROOT], log):
            return show(log, f"{arch}: meson setup failed")
        options.write_text(str(root))
    if call(["ninja", "-C", build, *targets(build, arch)], log):
        return show(log, f"{arch}: does not compile")
    results = build / "meson-logs" / "testlog.json"
    results.unlink(missing_ok=True)
    call(["meson", "test", "-C", build, "--no-rebuild", "--suite", "unit", "--timeout-multiplier", "10", "--num-processes", "2", "--print-errorlogs",
          *unit_tests(build, arch)], log, env=dict(os.environ, GW_EDITS="300"))
    if not results.exists():
        return show(log, f"{arch}: no test ran")
    passed, failed, names = tally.count_meson(results)
    if failed:
        show(log, f"{arch}: " + ", ".join(names))
    return passed, failed


def unit_tests(build, arch):
    tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    names = {test["name"] for test in tests if any(suite.endswith("unit") for suite in test["suite"])}
    assert NATIVE | AGAIN <= names, f"no such test: {(NATIVE | AGAIN) - names}"
    return sorted(AGAIN if arch == "arm64" else names - NATIVE)


def targets(build, arch):
    """What is built: everything, but on arm64 of the tests only those that are run there."""
    if arch != "arm64":
        return []
    run = {"test_" + name for name in unit_tests(build, arch)}
    rows = json.loads((build / "meson-info" / "intro-targets.json").read_text())
    files = {row["name"]: os.path.relpath(row["filename"][0], build) for row in rows}
    return [path for name, path in files.items() if not path.startswith("tests/") or name in run]


def show(log, what):
    print(f"-- {what}", file=sys.stderr)
    print("".join(open(log, errors="replace").readlines()[-80:]), file=sys.stderr)
    return 0, 1


def musl_headers(out):
    """What musl itself does not bring: the kernel's headers and the libraries', without glibc's."""
    for folder, names, source in (("include", MUSL_HEADERS, "/usr/include"),
                                  ("include-arch", MUSL_ARCH_HEADERS, "/usr/include/x86_64-linux-gnu")):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
        for name in names:
            if os.path.exists(f"{source}/{name}"):
                (out / folder / name).symlink_to(f"{source}/{name}")
    return [word for folder in (out / "include", out / "include-arch", *MUSL_DBUS_FOLDERS) for word in ("-idirafter", str(folder))]


def definitions(out):
    """{source: its -D words}, as meson would give them to the compiler."""
    build = out / "musl" / "build"
    shutil.rmtree(build, ignore_errors=True)
    if call(["meson", "setup", "-Dtests=false", build, ROOT], out / "musl.log"):
        show(out / "musl.log", "musl: meson setup failed")
        return None
    table = {}
    for row in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(row["command"])
        table[(build / row["file"]).resolve()] = [w for w in words if w.startswith("-D") and "FORTIFY" not in w]
    return table


def musl_one(argv, path):
    done = subprocess.run(argv + [str(path)], capture_output=True, text=True, check=False)
    return path, done.returncode, done.stderr


def musl(out):
    """(passed, failed): each source is one."""
    argv = ["musl-gcc", *MUSL_FLAGS, *musl_headers(out / "musl"), f"-I{ROOT}/gatewayd", f"-I{ROOT}/plugins"]
    sources = sorted(p for base in ("gatewayd", "plugins") for p in (ROOT / base).rglob("*.c"))
    words = definitions(out)
    if words is None:
        return 0, 1
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, code, errors in pool.map(lambda p: musl_one(argv + words.get(p, ["-D_GNU_SOURCE", '-DGW_VERSION="0"']), p), sources):
            if code:
                failed += 1
                print(f"-- musl: {path.relative_to(ROOT)}\n{errors}", file=sys.stderr)
            else:
                passed += 1
    return passed, failed


def main(argv):
    if len(argv) < 2 or argv[1].startswith("-"):
        raise SystemExit(__doc__)
    out = pathlib.Path(argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    for name in argv[2:] or ["musl", *MACHINES]:
        p, f = musl(out) if name == "musl" else machine(out, name)
        print(f"   {name}: {p} passed, {f} failed", file=sys.stderr)
        passed, failed = passed + p, failed + f
    print(passed, failed)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
