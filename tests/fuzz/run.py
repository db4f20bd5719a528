#!/usr/bin/env python3
"""Run the libFuzzer harnesses: first every seed again, then new inputs for some seconds.

    run.py BUILD SECONDS [name...]      prints "passed failed" last; two harnesses at a time

A harness counts twice: its seeds, and its search. What it finds stays in BUILD/found/NAME, an input that breaks it in
BUILD/broken/NAME-*; that one becomes a seed and a unit test.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
ENV = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def fuzz(program, arguments, limit_s):
    try:
        done = subprocess.run([str(program), *OPTIONS, *map(str, arguments)], stdin=subprocess.DEVNULL, env=ENV,
                              capture_output=True, text=True, errors="replace", timeout=limit_s, check=False)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        return 124, f"did not end within {limit_s} s\n{late.stderr}"


def harness(build, program, seconds):
    """(name, passed, failed, what to print)"""
    name = program.name.removeprefix("fuzz_")
    seeds = HERE / "corpus" / name
    found = build / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    (build / "broken").mkdir(exist_ok=True)
    n_seeds = sum(1 for p in seeds.rglob("*") if p.is_file()) if seeds.is_dir() else 0
    if not n_seeds:
        return name, 0, 2, f"no seeds in {seeds.relative_to(HERE.parents[1])}"
    broken = f"-artifact_prefix={build / 'broken'}/{name}-"
    code, text = fuzz(program, ["-runs=0", broken, seeds], 300)
    if code:
        return name, 0, 2, text[-5000:]
    more = [f"-dict={HERE / (name + '.dict')}"] if (HERE / f"{name}.dict").exists() else []
    code, text = fuzz(program, [f"-max_total_time={seconds}", broken, *more, found, seeds], seconds * 2 + 120)
    if code:
        return name, 1, 1, text[-5000:]
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    return name, 2, 0, f"{n_seeds} seeds, {runs[1] if runs else '?'} inputs"


def main(argv):
    build, seconds, names = pathlib.Path(argv[1]).resolve(), int(argv[2]), argv[3:]
    programs = sorted(p for p in (build / "tests" / "fuzz").glob("fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    if names:
        programs = [p for p in programs if p.name.removeprefix("fuzz_") in names]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, p, f, text in pool.map(lambda one: harness(build, one, seconds), programs):
            print(f"   {'ok    ' if not f else 'FAILED'} {name}: {text}", file=sys.stderr)
            passed, failed = passed + p, failed + f
    if not programs:
        print("   no harness" + (" of that name" if names else ""), file=sys.stderr)
        failed += 1
    print(passed, failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
