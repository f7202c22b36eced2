#!/usr/bin/env python3
"""What one element costs, from a thousand of them to ten million: work must stay flat (or n log n).

    bench/scale.py [--ilu BINARY] [--most N] [LANE ...]

CPU time of the whole process, less that of an empty script, in nanoseconds per element. A lane fails when an element costs more than
four times as much at the largest size as it does at ten thousand. Lanes marked `*` are known to grow with the size; what they do is billed by what is
moved, so a budget ends them; they are printed up to a hundred thousand and never fail.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LANES = {
    "list built": "use trl\nxs = []\ni <- 0..<N: trl.push(xs, i)\nprn len(xs)\n",
    "list read": "xs = 0..<N\ns = 0\ni <- 0..<N: s = s + xs[i]\nprn s\n",
    "list of lists": "use trl\nxs = []\ni <- 0..<N: trl.push(xs, [i])\nprn len(xs)\n",
    "list mapped": "use trl\nprn len(trl.map(0..<N, \\(x) x + 1))\n",
    "list sorted": "use trl\nx = 42\nxs = []\ni <- 0..<N:\n    x = (x * 3877 + 29573) % 139968\n    trl.push(xs, x)\nprn len(trl.srt(xs))\n",
    "object built": "o = {}\ni <- 0..<N: o[str(i)] = i\nprn len(o)\n",
    "object read": "o = {}\ni <- 0..<N: o[str(i)] = i\ns = 0\ni <- 0..<N: s = s + o[str(i)]\nprn s\n",
    "keys deleted, last first": "use obj\no = {}\ni <- 0..<N: o[str(i)] = i\ni <- 0..<N: obj.del(o, str(N - 1 - i))\nprn len(o)\n",
    "string built": "s = \"\"\ni <- 0..<N: s += \"x\"\nprn len(s)\n",
    "string read": "use txt\ns = txt.rpt(\"abc\", N)\nc = 0\ni <- 0..<N: if s[i] == \"a\": c += 1\nprn c\n",
    "string read, not ASCII": "use txt\ns = txt.rpt(\"aé\", N)\nc = 0\ni <- 0..<N: if s[i] == \"a\": c += 1\nprn c\n",
    "closures": "use trl\nfs = []\ni <- 0..<N: trl.push(fs, \\() i)\nprn fs[N - 1]()\n",
    "deep equality": "a = []\nb = []\ni <- 0..<N:\n    a = [a, i]\n    b = [b, i]\nprn a == b\n",
    "garbage beside what lives": "use trl\nkept = []\ni <- 0..<N:\n    trl.push(kept, {a: i})\n    t = [i]\nprn len(kept)\n",
    "JSON and back": "use jsn\nuse trl\nxs = []\ni <- 0..<N: trl.push(xs, {id: i})\nprn len(jsn.dec(jsn.enc(xs)))\n",
    "errors caught": "f(i) = err(\"no\")\ni <- 0..<N: r = try(\\() f(i))\nprn r.err\n",
    "source of assignments": None,
    "xs = xs + [x]": "xs = []\ni <- 0..<N: xs = xs + [i]\nprn len(xs)\n",
    "* s = x + s": "s = \"\"\ni <- 0..<N: s = \"x\" + s\nprn len(s)\n",
    "* keys deleted, first first": "use obj\no = {}\ni <- 0..<N: o[str(i)] = i\ni <- 0..<N: obj.del(o, str(i))\nprn len(o)\n",
}
# Built in memory whole, so that ten million of them are more than machines have.
HEAVY = {"object built", "object read", "keys deleted, last first", "closures", "deep equality", "JSON and back", "source of assignments"}


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ilu", default=str(HERE.parent / "target" / "release" / "ilu"))
    parser.add_argument("--most", type=float, default=1e7)
    parser.add_argument("lanes", nargs="*")
    return parser.parse_args()


def seconds(ilu, text):
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / "scaled.ilu"
        script.write_text(text)
        command = [ilu, "run", "--mem", "8G", "--time", "1000s", "--fuel", "1000000000000", str(script)]
        with open(os.devnull, "w") as nothing:
            pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)])
            _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}:\n{text[:400]}")
        return usage.ru_utime + usage.ru_stime


def main():
    args = options()
    start = statistics.median(seconds(args.ilu, "") for _ in range(9))
    sizes = [10**power for power in range(3, 8) if 10**power <= args.most]
    print(f"{'ns per element':28}" + "".join(f"{size:>12,}" for size in sizes))
    grown = []
    for lane in args.lanes or LANES:
        most = 10**5 if lane.startswith("*") else 10**6 if lane in HEAVY else 10**7
        costs = {}
        for size in (size for size in sizes if size <= most):
            text = (LANES[lane] or "x = 0\n" + "x = x + 1\n" * size + "prn x\n").replace("N", str(size))
            rounds = 5 if size <= 10**4 else 2 if size <= 10**5 else 1
            costs[size] = max(min(seconds(args.ilu, text) for _ in range(rounds)) - start, 0) / size * 1e9
        print(f"{lane:28}" + "".join(f"{cost:12,.0f}" for cost in costs.values()), flush=True)
        if not lane.startswith("*") and costs[max(costs)] > 4 * max(costs.get(10**4, 0), 20):
            grown.append(lane)
    if grown:
        sys.exit(f"these grow with the size: {', '.join(grown)}")


main()
