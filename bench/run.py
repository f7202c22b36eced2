#!/usr/bin/env python3
"""CPU time of the bench programs in ilu and in whatever else is on the machine.

    bench/run.py [-n ROUNDS] [--ilu BINARY] [--peers DIRECTORY] [--with NAME,NAME] [PROGRAM ...]

Each round runs every program once in every engine, so that a busy machine slows all of them alike. A figure is user plus system time
of the whole process, less the median of an empty program in the same engine; a cell is the median over the rounds of the ratio to the
first engine that was found, with the smallest and largest. Engines must print the same text, or the run fails.

Peers' programs are looked for as DIRECTORY/NAME/NAME.EXT or DIRECTORY/NAME.EXT. Without --peers only ilu is timed.
"""
import argparse
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ENGINES = [
    ("lua", ["lua5.4"], "lua"),
    ("luajit", ["luajit"], "lua"),
    ("luajit-joff", ["luajit", "-joff"], "lua"),
    ("luau", ["luau"], "lua"),
    ("python", ["python3", "-I", "-S"], "py"),
    ("node", ["node"], "js"),
    ("node-jitless", ["node", "--jitless"], "js"),
    ("quickjs", ["qjs"], "js"),
]


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--rounds", type=int, default=7)
    parser.add_argument("--ilu", default=str(HERE.parent / "target" / "release" / "ilu"))
    parser.add_argument("--peers", type=pathlib.Path)
    parser.add_argument("--with", dest="only", help="peers to run, by name; default: all that are found")
    parser.add_argument("programs", nargs="*")
    return parser.parse_args()


def measured(command):
    """CPU seconds, peak memory in MiB, and what it printed."""
    with tempfile.TemporaryFile() as out, open(os.devnull, "w") as nothing:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, nothing.fileno(), 2)]
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if status != 0:
        text = f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}: {text[:200]}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def found_engines(args):
    engines = []
    if args.peers:
        wanted = args.only.split(",") if args.only else None
        for name, command, extension in ENGINES:
            if shutil.which(command[0]) and (wanted is None or name in wanted):
                engines.append((name, command, lambda program, e=extension: peer_file(args.peers, program, e)))
    engines.append(("ilu", [args.ilu, "run"], lambda program: HERE / "programs" / f"{program}.ilu"))
    return engines


def peer_file(directory, program, extension):
    for path in (directory / program / f"{program}.{extension}", directory / f"{program}.{extension}"):
        if path.is_file():
            return path
    return None


def start_up(engines):
    cost = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, command, _ in engines:
            empty = pathlib.Path(directory) / f"empty-{name}"
            empty.write_text("")
            cost[name] = statistics.median(measured([*command, str(empty)])[0] for _ in range(9))
    return cost


def main():
    args = options()
    engines = found_engines(args)
    programs = args.programs or sorted(path.stem for path in (HERE / "programs").glob("*.ilu"))
    start = start_up(engines)
    seconds = {name: {program: [] for program in programs} for name, *_ in engines}
    failures = set()
    for _ in range(args.rounds):
        for program in programs:
            expected = None
            for name, command, path_of in engines:
                path = path_of(program)
                if path is None:
                    continue
                cpu, _, text = measured([*command, str(path)])
                expected = text if expected is None else expected
                if text != expected:
                    failures.add(f"{program} in {name}: {text!r}, expected {expected!r}")
                seconds[name][program].append(max(cpu - start[name], 1e-4))
    report(engines, programs, seconds)
    for failure in sorted(failures):
        print("WRONG:", failure)
    sys.exit(1 if failures else 0)


def report(engines, programs, seconds):
    (base, *_), *others = engines
    names = [name for name, *_ in others]
    print("| program | " + " | ".join([f"{base}, s", *names]) + " |")
    print("|---" * (len(names) + 2) + "|")
    geometric = {name: [] for name in names}
    for program in programs:
        cells = [f"{statistics.median(seconds[base][program]):.3f}"]
        for name in names:
            ratios = [own / other for own, other in zip(seconds[name][program], seconds[base][program])]
            if not ratios:
                cells.append("–")
                continue
            middle = statistics.median(ratios)
            geometric[name].append(middle)
            cells.append(f"{middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
        print(f"| {program} | " + " | ".join(cells) + " |")
    means = [f"**{math.exp(statistics.fmean(map(math.log, geometric[name]))):.2f}**" if geometric[name] else "–" for name in names]
    print("| **geometric mean** | " + " | ".join(["1", *means]) + " |")


main()
