#!/usr/bin/python3
"""The figures of ./dev bench: gatewayd beside other ways of doing the same, in turns, on this machine, now.

tests/bench/README.md says what each figure means. Exit status: 0 when all targets are met, 1 when one is missed, 2 when
the bench itself failed.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import figures  # noqa: E402
import login_timing  # noqa: E402
import probe    # noqa: E402
import report   # noqa: E402
from home import ROOT, BenchError, Home  # noqa: E402
from gateway import Gateway  # noqa: E402
from systems import PEERS    # noqa: E402


class Plan:
    """How long and how often; all of it bounded."""

    def __init__(self, quick, soak):
        self.rounds = 2 if quick else 5
        self.outages = 1 if quick else 2
        self.flow_s = 1.2 if quick else 2.0
        self.rate_s = 1.5 if quick else 4.0
        self.idle_s = 2.0 if quick else 5.0
        self.flash_s = 4.0 if quick else 20.0
        self.micro = 1 if quick else 3
        self.logins = 200 if quick else 2000  # of each kind
        self.quiet_s = 2.0 if quick else 4.0  # of silence, after which what has not come counts as lost
        self.z_rounds = 1 if quick else 3
        self.z_commands = 300 if quick else 1000
        self.z_idle_s = 4.0 if quick else 15.0
        self.soak_s = soak if soak is not None else 5.0 if quick else 60.0


MAIN = ("bridge", "republisher", "gateway")

# figure, which systems take part, how many turns
STEPS = (
    ("start", figures.start, MAIN, "rounds"),
    ("throughput", figures.throughput, MAIN + ("bridge-unlimited",), "rounds"),
    ("latency", figures.latency, MAIN, "rounds"),
    ("idle", figures.idle, MAIN, None),
    ("outage", figures.outage, MAIN + ("bridge-autosave",), "outages"),
    ("outage_many", figures.outage_many, ("bridge-autosave", "gateway"), "outages"),
    ("flash", figures.flash, MAIN + ("bridge-autosave",), None),
    ("soak", figures.soak, MAIN, None),
)


NOISE_MAX = 0.05  # of all cores; above it the figures say more about the neighbours
MICRO = ("bench-policy", "bench-wire", "bench-store", "bench-vault")


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(systems, plan, steps):
    """Every step in turns A B C A B C; {system: {figure: [values]}}."""
    raw = {key: {} for key in systems}
    for name, function, keys, times in STEPS:
        if steps and name not in steps:
            continue
        for turn in range(getattr(plan, times) if times else 1):
            for key in keys:
                if key not in systems:
                    continue
                began = time.monotonic()
                for figure, value in function(systems[key], plan).items():
                    raw[key].setdefault(figure, []).append(value)
                say(f"{name} {turn + 1}: {systems[key].title}, {time.monotonic() - began:.1f} s")
    return raw


def measure_micro(home, times, raw):
    """The small benchmarks; their figures are those of a system named micro."""
    for name in MICRO * times:
        argv = [os.path.join(home.build, "tests/bench", name)]
        if name in ("bench-store", "bench-vault"):
            argv.append(home.folder(name.removeprefix("bench-")))
        out = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
        for figure, value in json.loads(out).items():
            raw.setdefault("micro", {}).setdefault(figure, []).append(value)
        say(f"micro: {name}")


def measure_logins(home, pairs, raw):
    """A known user and an unknown one at the door; what it took is kept, attempt by attempt."""
    began = time.monotonic()
    kept = os.path.join(ROOT, "build/login_timing.csv")
    try:
        found = login_timing.run(home.build, pairs, kept)
    except (login_timing.Failed, login_timing.Refused) as error:
        raise BenchError(f"login: {error}") from error
    for figure, value in found.items():
        raw.setdefault("micro", {})["login_" + figure] = [value]
    say(f"login: {pairs} of each, {time.monotonic() - began:.1f} s; raw data in {os.path.relpath(kept)}")


def measure_zigbee(home, build_dir, plan, raw):
    """Our own Zigbee beside Zigbee2MQTT; gives the titles of the two."""
    os.environ["GW_BUILD"] = os.path.abspath(build_dir)  # read by tests/lib when it is loaded
    import bench_zigbee
    return bench_zigbee.measure(home, plan, say, raw)


def build(args):
    """All, with the programs of the bench; or what a part of it needs."""
    targets = ["tests/bench/bench-load", "tests/bench/bench-republish"] if args.peers else ["all", "bench-programs"]
    made = subprocess.run(["ninja", "-C", args.build, *targets],
                          stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise BenchError("what is to be measured does not build\n" + made.stdout)


def machine():
    def one(*argv):
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    return {"kernel": os.uname().release, "cores": os.cpu_count(), "load": os.getloadavg(),
            "mosquitto": one("mosquitto", "-h").splitlines()[0] if one("mosquitto", "-h") else "",
            "commit": one("git", "-C", ROOT, "rev-parse", "--short", "HEAD")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="short runs, under five minutes")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="length of the soak (60; quick: 5)")
    parser.add_argument("--json", metavar="FILE", help="where the figures go (build/bench.json)")
    parser.add_argument("--dir", help="folder on a real disk for the state of the systems")
    parser.add_argument("--build", default=os.environ.get("GW_BUILD", os.path.join(ROOT, "build/release")),
                        help="meson's build folder, a release build (GW_BUILD)")
    parser.add_argument("--only", action="append", choices=[step[0] for step in STEPS] + ["micro", "login", "zigbee"], help="this step only")
    parser.add_argument("--system", action="append", help="this system only (its key in the JSON)")
    parser.add_argument("--peers", action="store_true", help="without gatewayd: needs no root")
    return parser.parse_args()


def main():
    args = arguments()
    build(args)
    plan = Plan(args.quick, args.soak)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave nothing running behind
    neighbours = probe.Neighbours()
    with Home(args.build, args.dir) as home:
        everybody = PEERS + (() if args.peers else (Gateway,))
        systems = {kind.key: kind(home) for kind in everybody if not args.system or kind.key in args.system}
        home.start_cloud()
        raw = measure(systems, plan, args.only)
        if not args.peers and (not args.only or "micro" in args.only):
            measure_micro(home, plan.micro, raw)
        if not args.peers and (not args.only or "login" in args.only):
            measure_logins(home, plan.logins, raw)
        titles = {key: system.title for key, system in systems.items()}
        if not args.peers and (not args.only or "zigbee" in args.only):
            titles |= measure_zigbee(home, args.build, plan, raw)
    found = report.medians(raw)
    print("\n".join(report.table(found, titles) + report.verdicts(found)))
    noise = neighbours.share()
    print(f"\n{time.monotonic() - neighbours.began:.0f} s; others used {noise:.0%} of this machine meanwhile" +
          (": too much for times and rates to be worth quoting" if noise > NOISE_MAX else ""))
    rows = report.judge(found)
    target = args.json or os.path.join(ROOT, "build/bench.json")
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    with open(target, "w", encoding="utf-8") as out:
        json.dump({"machine": machine(), "others_share": noise, "medians": found, "turns": raw,
                   "targets": [dict(zip(("what", "value", "operator", "bound", "met", "words"), row)) for row in rows]},
                  out, indent=1)
    return 0 if all(row[4] for row in rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BenchError, subprocess.CalledProcessError) as error:
        say(f"bench: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
