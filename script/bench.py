"""Measures keyvald beside redis-server on one machine, the two in turn.

Both get the same configuration as far as it goes: an append-only promise of one second (or of
every write, for the "always" rows), no snapshots, loopback, a directory each. redis-benchmark is
the client, with 50 connections and 100-byte values. Each round runs a workload once on each
server, so a drift of the machine hits both; figures are medians, ratios are medians of the
rounds' ratios. CPU is user and system time of the server's whole process for each request, its
work after the last reply included: no run begins before both servers have come to rest.
"""
# SPDX-License-Identifier: BSD-3-Clause
import argparse
import atexit
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
MB = 1024 * 1024
VALUE_SIZE = 100
CLIENTS = 50
KEYS = 1_000_000
START_KEYS = 5_000_000
SUSTAIN_KEYS = 10_000_000
LOAD_CHUNK = 10_000        # SETs sent at once while loading
REST_LIMIT_S = 120         # a server that is not at rest by then is measured all the same
START_LIMIT_S = 600
RUN_LIMIT_S = 900

# name: command, pipeline, requests
WORKLOADS = {
    "GET, pipeline 1": ("get", 1, 200_000),
    "GET, pipeline 16": ("get", 16, 1_500_000),
    "GET, pipeline 64": ("get", 64, 3_000_000),
    "SET, pipeline 1": ("set", 1, 200_000),
    "SET, pipeline 16": ("set", 16, 1_500_000),
    "SET, pipeline 64": ("set", 64, 3_000_000),
}
ALWAYS = {
    "SET always, pipeline 1": ("set", 1, 50_000),
    "SET always, pipeline 16": ("set", 16, 300_000),
}
PARTS = ["throughput", "always", "start", "memory"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server process with a directory of its own, ended with this script."""

    def __init__(self, name, program, args):
        self.name, self.program, self.args = name, program, args
        self.home = tempfile.mkdtemp(prefix=f"bench-{name}-")
        self.dir = os.path.join(self.home, "data")
        os.mkdir(self.dir)
        self.port, self.process = free_port(), None
        atexit.register(self.close)

    def launch(self):
        argv = [self.program, "--port", str(self.port), "--dir", self.dir, *self.args]
        with open(os.path.join(self.home, "output"), "ab") as output:
            self.process = subprocess.Popen(argv, stdout=output, stderr=output)

    def start(self):
        self.launch()
        return self.first_answer(b"*1\r\n$4\r\nPING\r\n", b"+PONG")

    def first_answer(self, request, answer):
        """Asks until the answer comes; gives the seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < START_LIMIT_S:
            if self.process.poll() is not None:
                sys.exit(f"bench: {self.name} ended:\n{self.output()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    s.sendall(request)
                    if s.recv(65536).startswith(answer):
                        return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.001)
        sys.exit(f"bench: {self.name} does not answer")

    def output(self):
        with open(os.path.join(self.home, "output"), errors="replace") as f:
            return f.read()[-2000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def cpu(self):
        return process_cpu(self.process.pid)

    def rest(self):
        """Waits until the server and its children do nothing and put nothing off."""
        until = time.monotonic() + REST_LIMIT_S
        while time.monotonic() < until:
            before = self.busy()
            time.sleep(0.5)
            if self.busy() - before < 0.025 and not self.puts_off():
                return

    def puts_off(self):
        """Whether keyvald still has something in its log for its tables."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(b"*2\r\n$4\r\nINFO\r\n$11\r\npersistence\r\n")
            found = re.search(rb"log_bytes_ahead:(\d+)", s.recv(65536))
            return found is not None and int(found[1]) > 0

    def busy(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return sum(process_cpu(child) for child in [pid, *map(int, f.read().split())])

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024

    def disk(self):
        """Bytes the directory takes: all of it, and what is log."""
        total = log = 0
        for where, _, names in os.walk(self.dir):
            for name in names:
                try:
                    size = os.stat(os.path.join(where, name)).st_blocks * 512
                except FileNotFoundError:
                    continue
                total += size
                if "wal" in where or "appendonly" in where:
                    log += size
        return total, log


def process_cpu(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def servers(fsync):
    common = ["--appendfsync", fsync]
    redis = ["--appendonly", "yes", "--save", "", *common]
    return [Server("redis", "redis-server", redis),
            Server("keyvald", os.environ["KEYVALD"], common)]


def end(pair):
    for server in pair:
        server.close()


def load(server, first, count):
    """Sets keys first ... first + count - 1, each once, in an order that is not theirs."""
    value = b"x" * VALUE_SIZE
    numbers = list(range(first, first + count))
    random.Random(count).shuffle(numbers)
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        waiting = 0
        for at in range(0, count, LOAD_CHUNK):
            chunk = numbers[at:at + LOAD_CHUNK]
            s.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%b\r\n"
                               % (n, VALUE_SIZE, value) for n in chunk))
            receive_oks(s, waiting)
            waiting = len(chunk)
        receive_oks(s, waiting)


def receive_oks(s, count):
    left = count * len(b"+OK\r\n")
    while left > 0:
        got = s.recv(min(left, 65536))
        if not got or b"-" in got:
            sys.exit(f"bench: loading was refused: {got[:200]}")
        left -= len(got)


def benchmark(server, command, pipeline, requests, keys):
    """One run of redis-benchmark: requests a second, p99 in ms."""
    argv = ["redis-benchmark", "-p", str(server.port), "-t", command, "-c", str(CLIENTS),
            "-P", str(pipeline), "-d", str(VALUE_SIZE), "-n", str(requests), "-r", str(keys),
            "--csv"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    rows = re.findall(r'^"[^"]*","([\d.]+)","[\d.]+","[\d.]+","[\d.]+","[\d.]+","([\d.]+)"',
                      done.stdout, re.M)
    if done.returncode != 0 or not rows:
        sys.exit(f"bench: no figure from {server.name}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return float(rows[-1][0]), float(rows[-1][1])


def measure(server, command, pipeline, requests, keys):
    before = server.cpu()
    rate, p99 = benchmark(server, command, pipeline, requests, keys)
    server.rest()
    return {"rate": rate, "p99": p99, "cpu": (server.cpu() - before) / requests * 1e6}


def median(rounds, what):
    return statistics.median(r[what] for r in rounds)


def print_rates_head():
    print("| workload | Redis req/s | keyvald req/s | ratio | Redis µs CPU | keyvald µs CPU "
          "| Redis p99 ms | keyvald p99 ms |\n|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)


def print_rates(name, redis, keyvald):
    ratio = statistics.median(k["rate"] / r["rate"] for k, r in zip(keyvald, redis))
    print(f"| {name} | {median(redis, 'rate'):,.0f} | {median(keyvald, 'rate'):,.0f} "
          f"| {ratio:.2f} | {median(redis, 'cpu'):.2f} | {median(keyvald, 'cpu'):.2f} "
          f"| {median(redis, 'p99'):.2f} | {median(keyvald, 'p99'):.2f} |", flush=True)


def compare(pair, workloads, options):
    for name, (command, pipeline, requests) in workloads.items():
        if options.only and not re.search(options.only, name):
            continue
        results = {server.name: [] for server in pair}
        for i in range(options.rounds):
            for server in pair if i % 2 == 0 else pair[::-1]:
                count = int(requests * options.scale)
                results[server.name].append(measure(server, command, pipeline, count, KEYS))
        print_rates(name, results["redis"], results["keyvald"])


def throughput(options):
    pair = servers("everysec")
    for server in pair:
        server.start()
        load(server, 0, KEYS)
        server.rest()
    compare(pair, WORKLOADS, options)
    end(pair)


def always(options):
    pair = servers("always")
    for server in pair:
        server.start()
    compare(pair, ALWAYS, options)
    end(pair)


def start_times(server, options):
    """Seconds from exec to the first answered GET, after kill -9, once each round. The first
    kill comes right behind the load, the others behind a tenth of it."""
    keys = int(START_KEYS * options.scale)
    times = []
    server.start()
    load(server, 0, keys)
    for i in range(options.rounds):
        if i > 0:
            load(server, random.randrange(keys * 9 // 10), keys // 10)
        server.kill()
        server.launch()
        key = b"key:%012d" % random.randrange(keys)
        times.append(server.first_answer(b"*2\r\n$3\r\nGET\r\n$16\r\n%b\r\n" % key, b"$100"))
    return times


def start(options):
    times = {}
    for server in servers("everysec"):
        times[server.name] = start_times(server, options)
        server.close()
    redis, keyvald = (statistics.median(times[name]) for name in ("redis", "keyvald"))
    millions = START_KEYS * options.scale / 1e6
    print(f"\n| exec to the first answered GET, {millions:g} million keys, after kill -9 "
          f"| Redis | keyvald | ratio |\n|---|--:|--:|--:|\n"
          f"| median of {options.rounds} | {redis:.2f} s | {keyvald:.3f} s "
          f"| 1/{redis / keyvald:.0f} |\n"
          f"| slowest | {max(times['redis']):.2f} s | {max(times['keyvald']):.3f} s "
          f"| 1/{max(times['redis']) / max(times['keyvald']):.0f} |", flush=True)


def memory(options):
    keys = int(KEYS * options.scale)
    rss = {}
    for server in servers("everysec"):
        server.start()
        load(server, 0, keys)
        server.rest()
        rss[server.name] = server.rss() / MB
        server.close()
    print(f"\n| RSS with {keys / 1e6:g} million {VALUE_SIZE}-byte values | Redis | keyvald "
          f"| ratio |\n|---|--:|--:|--:|\n| all in memory | {rss['redis']:.0f} MB "
          f"| {rss['keyvald']:.0f} MB | {rss['keyvald'] / rss['redis']:.2f} |", flush=True)


class Sampler(threading.Thread):
    """Notes a server's memory and disk every second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.stopped, self.samples = server, threading.Event(), []

    def run(self):
        while not self.stopped.wait(1):
            disk, log = self.server.disk()
            self.samples.append((self.server.rss(), disk, log))

    def stop(self):
        self.stopped.set()
        self.join()
        return [max(sample[i] for sample in self.samples) / MB for i in range(3)]


def sustain_one(server, options):
    server.start()
    sampler = Sampler(server)
    sampler.start()
    rates, p99s, began, requests = [], [], time.monotonic(), 1_000_000
    before = server.cpu()
    while time.monotonic() - began < options.sustain:
        rate, p99 = benchmark(server, "set", 16, requests, SUSTAIN_KEYS)
        rates.append(rate)
        p99s.append(p99)
    took = time.monotonic() - began
    rss, disk, log = sampler.stop()
    cpu = (server.cpu() - before) / (requests * len(rates)) * 1e6
    return {"rate": requests * len(rates) / took, "slowest": min(rates), "p99": max(p99s),
            "cpu": cpu, "rss": rss, "disk": disk, "log": log}


def sustain(options):
    results = {}
    for server in servers("everysec"):
        results[server.name] = sustain_one(server, options)
        server.close()
    print(f"\n| SET, pipeline 16, ten million random keys, {options.sustain} s on end | Redis "
          f"| keyvald | ratio |\n|---|--:|--:|--:|")
    rows = [("rate", "requests/s", 0), ("slowest", "slowest million, requests/s", 0),
            ("cpu", "CPU µs a request", 2), ("p99", "worst p99 of a million, ms", 1),
            ("rss", "RSS at most, MB", 0), ("log", "log on disk at most, MB", 0),
            ("disk", "directory at most, MB", 0)]
    for what, name, digits in rows:
        redis, keyvald = results["redis"][what], results["keyvald"][what]
        print(f"| {name} | {redis:,.{digits}f} | {keyvald:,.{digits}f} "
              f"| {keyvald / redis if redis else 0:.2f} |", flush=True)


def options_of(argv):
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS),
                        help="of " + ",".join(PARTS) + "; none for none (default: all)")
    parser.add_argument("--only", help="only the workloads whose names match this expression")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="2 rounds of a fifth of the size")
    parser.add_argument("--sustain", type=int, nargs="?", const=120, metavar="SECONDS",
                        help="also SET at pipeline 16 over ten million keys for so long")
    options = parser.parse_args(argv)
    options.scale = 0.2 if options.quick else 1.0
    if options.quick:
        options.rounds = min(options.rounds, 2)
    options.parts = [part for part in options.parts.split(",") if part != "none"]
    if not set(options.parts) <= set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    return options


def main():
    options = options_of(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if {"throughput", "always"} & set(options.parts):
        print_rates_head()
    for part in options.parts:
        globals()[part](options)
    if options.sustain:
        sustain(options)


main()
