#!/usr/bin/python3
"""Does a login tell whether there is such a user? A known one with a wrong password against one that nobody has made, in turns, at a real core's door.

The difference of the medians is to be less than 5 % of the median. Names that are locked out are measured as well, shorter and without a target.
Raw data goes to a file, a line an attempt: its number, what it was, how long it took in nanoseconds. Exit status: 0 when the target is met, 1 when not,
2 when the measurement itself failed.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "conf/demo"))
sys.dont_write_bytecode = True
from door import Door, Refused  # noqa: E402

TARGET = 0.05
TRIES_MAX = 20  # lockout.tries at most: the source's lock is a multiple of it
PAIRS_BETWEEN = 8  # failures of one name that still do not lock it
PASSWORD, WRONG = "correct horse battery", "wrong horse battery"
SETTINGS = """\
site: {{name: Timing, maker: "00d3a0", product: "000001"}}
state_dir: {folder}/state
run_dir: {folder}/run
lockout: {{tries: {tries}, window_s: 60, lock_s: {lock}}}
"""


class Failed(Exception):
    pass


class Core:
    """A core alone: no adapter, no link."""

    def __init__(self, build, folder):
        for sub in ("state", "run"):
            os.mkdir(f"{folder}/{sub}", 0o700)
        with open(folder + "/gatewayd.yaml", "w", encoding="utf-8") as out:
            out.write(SETTINGS.format(folder=folder, tries=TRIES_MAX, lock=86400))
        self.log = folder + "/log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([build + "/gatewayd/gatewayd", "--config", folder + "/gatewayd.yaml"], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while not os.path.exists(folder + "/run/door.sock"):
            if time.monotonic() > end or self.process.poll() is not None:
                with open(self.log, encoding="utf-8") as text:
                    raise Failed("the core does not start: " + text.read())
            time.sleep(0.02)
        self.door = Door(folder + "/run/door.sock")
        self.door.call("setup", name="anna", password=PASSWORD)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def attempt(self, name):
        """A login that fails; how long the answer took."""
        began = time.monotonic_ns()
        try:
            self.door.call("login", user=name, password=WRONG)
        except Refused as refused:
            took = time.monotonic_ns() - began
            if refused.code in ("denied", "rate"):
                return took, refused.code
            raise
        raise Failed(f"{name} came in with a wrong password")

    def forgive(self):
        """A login that succeeds ends the count of failures, of the name and of this place."""
        self.door.token = None
        self.door.login("anna", PASSWORD)
        self.door.call("logout")
        self.door.token = None


def measure(core, pairs, rows):
    """Pairs in turns, each kind first as often as second."""
    for i in range(pairs):
        if i % PAIRS_BETWEEN == 0:
            core.forgive()
        turns = [("known", "anna"), ("unknown", f"nobody-{i:05}")]
        for kind, name in turns if i % 2 else reversed(turns):
            took, code = core.attempt(name)
            if code != "denied":
                raise Failed(f"{name} was locked out at pair {i}")
            rows.append((kind, took))


def measure_locked(core, pairs, rows):
    names = {"known, locked": "anna", "unknown, locked": "nobody"}
    for name in names.values():
        for _ in range(TRIES_MAX):
            core.attempt(name)
    for i in range(pairs):
        for kind in names if i % 2 else reversed(names):
            rows.append((kind, core.attempt(names[kind])[0]))


def difference(rows, known, unknown):
    """Medians of both in ms, and how far apart they are, as a part of the known one's."""
    medians = [statistics.median(took for kind, took in rows if kind == which) / 1e6 for which in (known, unknown)]
    return (*medians, abs(medians[0] - medians[1]) / medians[0])


def run(build, pairs, raw):
    """{"known_ms", "unknown_ms", "difference", "locked_known_ms", "locked_unknown_ms", "locked_difference"}; raw data in the file raw."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="gw-login-") as folder:
        core = Core(build, folder)
        try:
            measure(core, pairs, rows)
            measure_locked(core, max(10, pairs // 10), rows)
        finally:
            core.stop()
    os.makedirs(os.path.dirname(os.path.abspath(raw)), exist_ok=True)
    with open(raw, "w", encoding="ascii") as out:
        out.write("number,kind,ns\n" + "".join(f"{i},{kind.replace(', ', '-')},{took}\n" for i, (kind, took) in enumerate(rows)))
    known, unknown, apart = difference(rows, "known", "unknown")
    locked_known, locked_unknown, locked_apart = difference(rows, "known, locked", "unknown, locked")
    return {"known_ms": known, "unknown_ms": unknown, "difference": apart,
            "locked_known_ms": locked_known, "locked_unknown_ms": locked_unknown, "locked_difference": locked_apart}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pairs", type=int, default=2000, help="attempts of each kind (2000)")
    parser.add_argument("--raw", default=os.path.join(ROOT, "build/login_timing.csv"), help="where the raw data goes")
    parser.add_argument("--build", default=os.environ.get("GW_BUILD", os.path.join(ROOT, "build/release")), help="meson's build folder (GW_BUILD)")
    args = parser.parse_args()
    try:
        found = run(args.build, args.pairs, args.raw)
    except (Failed, Refused, OSError) as error:
        print(f"login_timing: {error}", file=sys.stderr)
        return 2
    print(f"a wrong password: {found['known_ms']:.2f} ms for a known user, {found['unknown_ms']:.2f} ms for an unknown one: "
          f"{found['difference']:.2%} apart (target: below {TARGET:.0%}), {args.pairs} of each")
    print(f"locked out: {found['locked_known_ms']:.2f} ms and {found['locked_unknown_ms']:.2f} ms: {found['locked_difference']:.2%} apart")
    print(f"raw data: {os.path.relpath(args.raw)}")
    return 0 if found["difference"] < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
