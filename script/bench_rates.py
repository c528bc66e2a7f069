"""Requests a second of both servers, by redis-benchmark, and the table they are printed in."""
# SPDX-License-Identifier: BSD-3-Clause
import re
import statistics
import subprocess
import sys

from bench_server import KEYS, VALUE_SIZE

CLIENTS = 50
RUN_LIMIT_S = 900


def benchmark(server, command, pipeline, requests, keys):
    """One run of redis-benchmark: requests a second, p99 in ms. The command is the name of one
    of its tests, or a list of words; __rand_int__ in these is a random key's number."""
    what = ["-t", command] if isinstance(command, str) else command
    argv = ["redis-benchmark", "-p", str(server.port), "-c", str(CLIENTS), "-P", str(pipeline),
            "-d", str(VALUE_SIZE), "-n", str(requests), "-r", str(keys), "--csv", *what]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    rows = re.findall(r'^"[^"]*","([\d.]+)","[\d.]+","[\d.]+","[\d.]+","[\d.]+","([\d.]+)"',
                      done.stdout, re.M)
    if done.returncode != 0 or not rows:
        sys.exit(f"bench: no figure from {server.name}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return float(rows[-1][0]), float(rows[-1][1])


def measure(server, run, requests):
    before = server.cpu()
    rate, p99 = run(server, requests)
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


def in_turn(pair, options, run):
    """What run gives of each server, by name, a list of all rounds."""
    results = {server.name: [] for server in pair}
    for i in range(options.rounds):
        for server in pair if i % 2 == 0 else pair[::-1]:
            results[server.name].append(run(server))
    return results


def is_wanted(name, options):
    return not options.only or re.search(options.only, name)


def compare_runs(pair, name, run, requests, options):
    """A row: run(server, requests) gives requests a second and p99 in ms."""
    if not is_wanted(name, options):
        return
    count = int(requests * options.scale)
    results = in_turn(pair, options, lambda server: measure(server, run, count))
    print_rates(name, results["redis"], results["keyvald"])


def compare(pair, workloads, options):
    for name, (command, pipeline, requests) in workloads.items():
        compare_runs(pair, name, lambda server, count, c=command, p=pipeline:
                     benchmark(server, c, p, count, KEYS), requests, options)
