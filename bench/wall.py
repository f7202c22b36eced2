#!/usr/bin/env python3
"""What the second wall, programs and tasks cost: start-up with it and without, a confined program against a plain one, waiting tasks, a pipeline.

    cargo build --release -p ilu-cli
    bench/wall.py [-n ROUNDS] [--ilu BINARY] [--first] [start programs waiting pipeline speed]

Each round does the two sides of a pair one right after the other, so that a busy machine slows both alike. Given are medians over the rounds with
the smallest and the largest, of wall time and of CPU time (user and system, of the process and all that it waited for). On a machine that does
other work too, look at CPU time, or have root measure with `--first`: what is timed then goes before all else (`chrt -f`), for the
fraction of a second that it takes.
"""
import argparse
import os
import pathlib
import statistics
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PIPELINE = """use syn
c = syn.chan({room})
t = syn.run(\\()
    i <- 0..<{count}: c.snd(i)
    c.cls()
)
n = 0
x <- c: n += 1
prn n
"""
WAITING = """use syn
use trl
c = syn.chan()
all = []
i <- 0..<{count}: trl.push(all, syn.run(\\() c.rcv()))
__sys_sleep({ms})
prn len(all)
"""
ALONE = """use syn
work() =
    n = 0
    i <- 0..<{count}: n = (n * 31 + i) % 1000003
    n
ts = [{tasks}]
t <- ts: t.wai()
"""
PROGRAMS = """n = 0
whl n < {count}:
    n += 1 - __os_run("/bin/true").cod
"""


FIRST = []


def measured(command):
    """Wall and CPU seconds, and peak memory in MiB."""
    command = FIRST + command
    actions = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begin = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - begin
    if status != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(what, values, unit):
    print(f"| {what} | {statistics.median(values):.3f} {unit} | {min(values):.3f}–{max(values):.3f} |", flush=True)


def pairs(rounds, one, other):
    """Wall and CPU milliseconds of each, round by round."""
    sides = [[], []]
    for n in range(rounds):
        for side in (0, 1) if n % 2 == 0 else (1, 0):
            took, cpu, _ = measured((one, other)[side])
            sides[side].append((took * 1000, cpu * 1000))
    return sides


def start_up(ilu, rounds, script):
    with_it, without = pairs(rounds, [ilu, "run", script], [ilu, "run", "--wall", "off", script])
    for n, kind in enumerate(("wall time", "CPU time")):
        row(f"start-up, wall on, {kind}", [one[n] for one in with_it], "ms")
        row(f"start-up, wall off, {kind}", [one[n] for one in without], "ms")
        row(f"what the wall adds, {kind}", [one[n] - other[n] for one, other in zip(with_it, without)], "ms")


def programs(ilu, rounds, place, count=100):
    """Per program: many of them in one run, less a run that starts none."""
    many, none = place / "many.ilu", place / "none.ilu"
    many.write_text(PROGRAMS.format(count=count))
    none.write_text(PROGRAMS.format(count=0))
    flags = [ilu, "run", "--run", "/bin/true"]
    loaded, empty = pairs(rounds, [*flags, str(many)], [*flags, str(none)])
    plain = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(count):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        plain.append((time.perf_counter() - begin) * 1000 / count)
    confined = [(one[0] - other[0]) / count for one, other in zip(loaded, empty)]
    row("a confined `/bin/true`, wall time", confined, "ms")
    row("a plain `/bin/true` by posix_spawn, wall time", plain, "ms")
    row("what confining adds, wall time", [one - other for one, other in zip(confined, plain)], "ms")


def waiting(ilu, rounds, place, count=10_000):
    some, none = place / "waiting.ilu", place / "nobody.ilu"
    some.write_text(WAITING.format(count=count, ms=300))
    none.write_text(WAITING.format(count=0, ms=300))
    flags = [ilu, "run", "--mem", "1G", "--grant", "captr,capstdout,captm"]
    used = [measured([*flags, str(some)])[2] - measured([*flags, str(none)])[2] for _ in range(max(rounds // 4, 3))]
    row(f"{count} tasks that wait, peak memory", used, "MiB")


def pipeline(ilu, rounds, place, count=1_000_000):
    for room in (1, 64, 1024):
        script = place / f"pipeline-{room}.ilu"
        script.write_text(PIPELINE.format(count=count, room=room))
        got = [measured([ilu, "run", "--grant", "captr,capstdout", str(script)]) for _ in range(max(rounds // 4, 3))]
        row(f"messages a second, room for {room}, by wall time", [count / took / 1e6 for took, _, _ in got], "M")
        row(f"messages a second, room for {room}, by CPU time", [count / cpu / 1e6 for _, cpu, _ in got], "M")


def speed_up(ilu, rounds, place, count=3_000_000):
    one, two = place / "one.ilu", place / "two.ilu"
    one.write_text(ALONE.format(count=count, tasks="syn.run(work)"))
    two.write_text(ALONE.format(count=count, tasks="syn.run(work), syn.run(work)"))
    alone, both = pairs(max(rounds // 4, 3), [ilu, "run", str(one)], [ilu, "run", str(two)])
    row("two tasks that compute: work per time, over one", [2 * a[0] / b[0] for a, b in zip(alone, both)], "×")
    row("two tasks that compute: CPU time of each, over one", [b[1] / (2 * a[1]) for a, b in zip(alone, both)], "×")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--rounds", type=int, default=20)
    parser.add_argument("--ilu", default=str(HERE.parent / "target" / "release" / "ilu"))
    parser.add_argument("only", nargs="*", help="start programs waiting pipeline speed; default: all")
    parser.add_argument("--first", action="store_true", help="real-time priority for what is timed; takes root")
    args = parser.parse_args()
    if args.first:
        FIRST.extend(["chrt", "-f", "5"])
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(4))
    wanted = set(args.only or ["start", "programs", "waiting", "pipeline", "speed"])
    print("| what | median | from–to |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        empty = place / "empty.ilu"
        empty.write_text("")
        if "start" in wanted:
            start_up(args.ilu, args.rounds, str(empty))
        if "programs" in wanted:
            programs(args.ilu, args.rounds, place)
        if "waiting" in wanted:
            waiting(args.ilu, args.rounds, place)
        if "pipeline" in wanted:
            pipeline(args.ilu, args.rounds, place)
        if "speed" in wanted:
            speed_up(args.ilu, args.rounds, place)


main()
