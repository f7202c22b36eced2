#!/usr/bin/env python3
"""Instructions that the bench programs take, counted by valgrind: figures that a busy machine doesn't change.

    bench/count.py [--ilu BINARY] [--write] [--tolerance PERCENT] [PROGRAM ...]

Each program runs at a small size under cachegrind without its caches; what an empty script takes is a
row of its own and taken off the others. What it takes depends on the kernel, its rights and the environment, so it may differ more. The counts are compared with `bench/counts.json`: more than PERCENT above a recorded one is a failure,
more than PERCENT below asks for a new record (`--write`). Counts belong to one compiler and one machine type; both are recorded, and with
another the comparison is made but does not fail.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "counts.json"
START_TOLERANCE = 15.0
SIZES = {
    "bintrees": 9, "closures": 60_000, "dispatch": 20_000, "fannkuch": 7, "fib": 21, "hof": 4, "jsoncodec": 2, "loop": 400_000,
    "mandelbrot": 60, "methods": 60_000, "nbody": 3_000, "qsort": 8_000, "sieve": 200_000, "sortcmp": 8_000, "spectral": 40,
    "strings": 20, "wordcount": 30_000,
}


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ilu", default=str(HERE.parent / "target" / "release" / "ilu"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--tolerance", type=float, default=3.0)
    parser.add_argument("programs", nargs="*")
    return parser.parse_args()


def counted(ilu, text):
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / "counted.ilu"
        script.write_text(text)
        out = pathlib.Path(directory) / "out"
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}", ilu, "run", str(script)]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {ran.returncode}: {ran.stderr[-400:]}")
        found = re.search(r"I\s+refs:\s+([\d,]+)", ran.stderr)
        if not found:
            sys.exit(f"{' '.join(command)} counted nothing: {ran.stderr[-400:]}")
        return int(found.group(1).replace(",", ""))


def program(name):
    text = (HERE / "programs" / f"{name}.ilu").read_text()
    resized, changes = re.subn(r"^n = .*$", f"n = {SIZES[name]}", text, count=1, flags=re.M)
    assert changes == 1, f"{name} has no size"
    return resized


def built_by():
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{rustc}, {platform.machine()}"


def main():
    args = options()
    names = args.programs or sorted(SIZES)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        start = pool.submit(counted, args.ilu, "")
        running = {name: pool.submit(counted, args.ilu, program(name)) for name in names}
        counts = {"start": start.result(), **{name: each.result() - start.result() for name, each in running.items()}}
    if args.write:
        RECORD.write_text(json.dumps({"built by": built_by(), "counts": counts}, indent=1) + "\n")
        print(f"{len(counts)} counts written")
        return
    record = json.loads(RECORD.read_text())
    failed = []
    for name, count in counts.items():
        before = record["counts"].get(name)
        change = (count / before - 1) * 100 if before else float("nan")
        tolerance = max(args.tolerance, START_TOLERANCE) if name == "start" else args.tolerance
        verdict = "" if abs(change) <= tolerance else "MORE" if change > 0 else "less: write it down"
        print(f"{name:12} {count:14,} {change:+7.2f} % {verdict}")
        if not change <= tolerance:
            failed.append(name)
    if failed and record["built by"] != built_by():
        print(f"the record is of {record['built by']}, this is {built_by()}: nothing is decided")
    elif failed:
        sys.exit(f"{', '.join(failed)}: more instructions than recorded, by over {args.tolerance} % ({START_TOLERANCE} % for the start)")


main()
