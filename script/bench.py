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
import random
import signal
import statistics
import sys
import threading
import time

from bench_commands import commands
from bench_rates import benchmark, compare, print_rates_head
from bench_server import KEYS, MB, VALUE_SIZE, end, load, servers

START_KEYS = 5_000_000
SUSTAIN_KEYS = 10_000_000

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
PARTS = ["throughput", "always", "commands", "start", "memory"]


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
    if {"throughput", "always", "commands"} & set(options.parts):
        print_rates_head()
    for part in options.parts:
        globals()[part](options)
    if options.sustain:
        sustain(options)


main()
