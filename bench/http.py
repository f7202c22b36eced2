#!/usr/bin/env python3
"""Requests to nginx on loopback: ilu against plain reqwest, in pairs.

    cargo build --release -p ilu-cli && cargo build --release -p ilu-std --features http --example plain_get
    bench/http.py [-n ROUNDS] [-c REQUESTS] [--bin DIRECTORY]

Each round runs both, one right after the other, so that a busy machine slows both alike. A figure is the time of a process less that of the
same one with a single request; the ratio is reqwest's time over ilu's, so 1 is as fast; that of the fastest runs is what a busy machine disturbs least. Needs nginx. Also: 1 GiB to a file, with the peak of
memory over that of a small file.
"""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def measured(command):
    """Wall and CPU seconds, and peak memory in KiB."""
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def nginx(place):
    """Starts nginx on a free port with a small file and one of 1 GiB."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (place / "www").mkdir()
    (place / "www/small").write_text("hello\n" * 20)
    with open(place / "www/big", "wb") as big:
        big.truncate(1 << 30)
    for path in [place, *place.rglob("*")]:
        path.chmod(0o755)
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    temporary = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)
    (place / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {place}/pid; error_log {place}/log; events {{}}\n"
        f"http {{ access_log off; keepalive_requests 10000000; {temporary} server {{ listen 127.0.0.1:{port}; root {place}/www; }} }}\n"
    )
    server = subprocess.Popen(["nginx", "-c", str(place / "nginx.conf"), "-p", str(place)], stderr=subprocess.DEVNULL)
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except OSError:
            time.sleep(0.01)
    sys.exit("nginx does not listen")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--rounds", type=int, default=9)
    parser.add_argument("-c", "--requests", type=int, default=10000)
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parent / "target" / "release")
    args = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        server, port = nginx(place)
        try:
            host = f"127.0.0.1:{port}"

            def ilu(script, *flags):
                (place / "main.ilu").write_text(script)
                return measured([str(args.bin / "ilu"), "run", "--net", host, *flags, str(place / "main.ilu")])

            def many(count):
                return ilu(f'u = "http://{host}/small"\ni <- 0..<{count}: __sys_http_get(u)\n')

            def plain(count):
                return measured([str(args.bin / "examples/plain_get"), f"http://{host}/small", str(count)])

            base = [[statistics.median(run(1)[k] for _ in range(5)) for k in (0, 1)] for run in (plain, many)]
            ratios, best = [], [[float("inf")] * 2, [float("inf")] * 2]
            for _ in range(args.rounds):
                times = [[run(args.requests)[k] - base[n][k] for k in (0, 1)] for n, run in enumerate((plain, many))]
                ratios.append([times[0][k] / times[1][k] for k in (0, 1)])
                best = [[min(best[n][k], times[n][k]) for k in (0, 1)] for n in (0, 1)]
            for k, what in enumerate(["wall", "CPU"]):
                row = sorted(ratio[k] for ratio in ratios)
                fastest = best[0][k] / best[1][k]
                print(f"throughput against plain reqwest, {what}: median {statistics.median(row):.2f} ({row[0]:.2f} to {row[-1]:.2f}), fastest runs {fastest:.2f}")
            (place / "out").mkdir()
            grant = ["--dir", f"{place}/out:/out:rw"]
            save = 'prn __sys_http_get("http://{}/{}", {{to: "/out/file", ms: 600000}}).len\n'
            small = ilu(save.format(host, "small"), *grant)
            big = ilu(save.format(host, "big"), *grant)
            print(f"1 GiB to a file: {big[0]:.2f} s, {big[2] - small[2]} KiB more at the peak than for {120} bytes")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
