#!/usr/bin/env python3
"""run - every scenario in a machine of its own, two at a time: run.py FOLDER [--build FOLDER] [--machine uml|qemu] [scenario...]

FOLDER (build/radio) keeps the kernel and what the machines wrote. Says what failed, and ends with "N passed, N failed"; FOLDER.count
has both numbers for ./dev. A User-Mode Linux that does not boot is followed by QEMU, which is slower and needs no kernel built.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import HERE, TREE, Qemu, Uml  # noqa: E402

# What it is called, the clock, seconds of ours that it may take (QEMU: several times that). HOURS pass in those of the second list.
SCENARIOS = {
    "bench_bleak": ("free", 60),
    "plugin_beacons": ("virtual", 90),
    "plugin_silence": ("free", 150),
    "plugin_peripherals": ("free", 90),
    "plugin_shy": ("free", 60),
    "plugin_house": ("virtual", 60),
}
HOURS = ("plugin_silence",)


def kernel_in(folder):
    done = subprocess.run([f"{HERE}/kernel.sh", folder], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def machines(folder, wanted):
    """The first that boots is used."""
    if wanted != "qemu":
        kernel = kernel_in(folder)
        if kernel:
            yield Uml(kernel)
    if wanted != "uml":
        yield Qemu(folder)


def run_one(name, folder, build, wanted):
    clock, seconds = SCENARIOS[name]
    outcome = None
    for machine in machines(folder, wanted):
        if name in HOURS and machine.kind == "qemu":
            break  # only a virtual clock has them
        outcome = machine.run(name, f"{folder}/{name}", clock=clock, seconds=seconds, RADIO_BUILD=build)
        if outcome.booted:
            break
    return name, outcome


def verdict(name, outcome):
    """How many were good, and what was not."""
    if outcome is None:
        return 0, [f"{name}: no machine could be made for it"]
    lines = outcome.lines()
    bad = [f"{name}: {words}" for good, words in lines if not good]
    if not outcome.booted:
        bad.append(f"{name}: the machine did not come to its end: {outcome.console.strip()[-300:]}")
    elif outcome.code != "0" and not bad:
        bad.append(f"{name}: exit code {outcome.code}: {outcome.log.strip()[-300:]}")
    return sum(good for good, _ in lines), bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--build", default=f"{TREE}/build/release")
    parser.add_argument("--machine", choices=("uml", "qemu", "any"), default="any")
    parser.add_argument("scenario", nargs="*")
    args = parser.parse_intermixed_args()
    for name in args.scenario:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name}; there are {', '.join(SCENARIOS)}")
    folder, build = os.path.abspath(args.folder), os.path.abspath(args.build)
    os.makedirs(folder, exist_ok=True)
    if args.machine != "qemu":
        kernel_in(folder)  # once, before two want it
    passed, failed = 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, outcome in pool.map(lambda name: run_one(name, folder, build, args.machine), args.scenario or SCENARIOS):
            good, bad = verdict(name, outcome)
            passed, failed = passed + good, failed + bad
            print(f"{name}: {good} passed, {len(bad)} failed, {outcome.seconds if outcome else 0:.0f} s", file=sys.stderr, flush=True)
    for words in failed:
        print(f"    failed: {words}", file=sys.stderr)
    with open(f"{folder}.count", "w", encoding="utf-8") as count:
        count.write(f"{passed} {len(failed)}\n" + "".join(f"    failed: {words}\n" for words in failed))
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
