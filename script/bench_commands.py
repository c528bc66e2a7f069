"""Other commands than GET and SET: many clients with pipelines, and one client that waits."""
# SPDX-License-Identifier: BSD-3-Clause
import random
import selectors
import socket
import sys
import threading
import time

from bench_rates import (RUN_LIMIT_S, benchmark, compare, compare_runs, in_turn, is_wanted,
                         median)
from bench_server import KEYS, MB, VALUE_SIZE, end, load, request_of, servers

PIPELINE = 16
PAGES = 100_000            # values of PAGE_SIZE bytes
PAGE_SIZE = 1000
SUBSCRIBERS = 10
CHANNEL = "news"
PUBLISHED = 100_000        # with what goes with them less than a subscriber may leave unread
SHORT_BITS = 20 * MB       # bytes of the strings BITOP and BITCOUNT look at
LONG = 100 * MB            # bytes of the string SETBIT and APPEND change

# name: command, pipeline, requests
WORKLOADS = {
    "INCR, pipeline 16": ("incr", PIPELINE, 1_500_000),
    "MSET of 10, pipeline 16": ("mset", PIPELINE, 150_000),
    "EXPIRE, pipeline 16": (["EXPIRE", "key:__rand_int__", "1000000"], PIPELINE, 1_500_000),
}
GETRANGE = ["GETRANGE", "page:__rand_int__", "450", "549"]


class Subscribers(threading.Thread):
    """Counts the bytes of what is published to SUBSCRIBERS connections."""

    def __init__(self, server, each):
        super().__init__(daemon=True)
        self.each, self.done_at = each, None
        self.sockets = [socket.create_connection(("127.0.0.1", server.port))
                        for _ in range(SUBSCRIBERS)]
        for s in self.sockets:
            s.sendall(request_of("SUBSCRIBE", CHANNEL))
            while not s.recv(4096).endswith(b":1\r\n"):
                pass
        self.start()

    def run(self):
        left = {s: self.each for s in self.sockets}
        with selectors.DefaultSelector() as ready:
            for s in self.sockets:
                ready.register(s, selectors.EVENT_READ)
            while any(left.values()):
                for key, _ in ready.select():
                    got = len(key.fileobj.recv(MB))
                    left[key.fileobj] -= got
                    if got == 0 or left[key.fileobj] < 0:
                        return
        self.done_at = time.monotonic()

    def finish(self):
        """When the last message came."""
        self.join(RUN_LIMIT_S)
        for s in self.sockets:
            s.close()
        if self.done_at is None:
            sys.exit("bench: what subscribers received is not what was published")
        return self.done_at


def publish(server, requests):
    """The rate ends with the last message that a subscriber received."""
    text = b"x" * VALUE_SIZE
    requests -= requests % PIPELINE
    subscribers = Subscribers(server, requests * len(request_of("message", CHANNEL, text)))
    began = time.monotonic()
    _, p99 = benchmark(server, ["PUBLISH", CHANNEL, text.decode()], PIPELINE, requests, 1)
    return requests / (subscribers.finish() - began), p99


# --- one client that waits for each answer ---

class Client:
    def __init__(self, server):
        self.turn = 0
        self.socket = socket.create_connection(("127.0.0.1", server.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, *words):
        """The answer, which is a line."""
        self.socket.sendall(request_of(*words))
        answer = self.socket.recv(4096)
        if not answer.endswith(b"\r\n") or answer.startswith(b"-"):
            sys.exit(f"bench: {words[0]} was refused: {answer[:200]}")
        return answer[:-2]

    def scan(self, cursor, count):
        """The next cursor and how many keys came, which all have the same length."""
        key = len(b"$16\r\nkey:000000000000\r\n")
        self.socket.sendall(request_of("SCAN", cursor, "COUNT", count))
        got = self.socket.recv(MB)
        while got.count(b"\r\n", 0, 64) < 4:
            got += self.socket.recv(MB)
        _, _, cursor, keys, _ = got.split(b"\r\n", 4)
        nkeys = int(keys[1:])
        left = nkeys * key - (len(got) - got.index(b"\r\n*") - len(keys) - 4)
        while left > 0:
            left -= len(self.socket.recv(left))
        return cursor, nkeys


def scan_all(client, count):
    cursor, found = client.scan(0, count)
    while cursor != b"0":
        cursor, more = client.scan(cursor, count)
        found += more
    if found < KEYS:
        sys.exit(f"bench: SCAN has told of {found} keys")


def set_bit(client):
    client.ask("SETBIT", "long", random.randrange(LONG * 8), 1)


def combine(client):
    """Two results in turn, so that each is another one than what the destination has."""
    client.turn = (client.turn + 1) % 2
    client.ask("BITOP", ["AND", "XOR"][client.turn], "short", "short:1", "short:2")


# name: what is done, how often in a round
SCANS = {
    "SCAN of a million keys, COUNT 10": (lambda client: scan_all(client, 10), 1),
    "SCAN of a million keys, COUNT 100": (lambda client: scan_all(client, 100), 1),
    "SCAN of a million keys, COUNT 1000": (lambda client: scan_all(client, 1000), 1),
}
LARGE_STRINGS = {
    "BITOP AND, XOR of two strings of 20 MB": (combine, 10),
    "BITCOUNT of 20 MB": (lambda client: client.ask("BITCOUNT", "short:1"), 50),
    "SETBIT in 100 MB": (set_bit, 20),
    "APPEND of 10 bytes to 100 MB": (lambda client: client.ask("APPEND", "long", "x" * 10), 20),
}


def time_of(server, what, count):
    before = server.cpu()
    with Client(server) as client:
        began = time.monotonic()
        for _ in range(count):
            what(client)
        took = time.monotonic() - began
    server.rest()
    return {"ms": took / count * 1e3, "cpu": (server.cpu() - before) / count * 1e3}


def print_times_head():
    print("\n| one client | Redis ms | keyvald ms | ratio | Redis ms CPU | keyvald ms CPU |\n"
          "|---|--:|--:|--:|--:|--:|", flush=True)


def compare_times(pair, workloads, options):
    for name, (what, often) in workloads.items():
        if not is_wanted(name, options):
            continue
        count = max(1, int(often * options.scale))
        results = in_turn(pair, options, lambda server: time_of(server, what, count))
        redis, keyvald = results["redis"], results["keyvald"]
        print(f"| {name} | {median(redis, 'ms'):,.2f} | {median(keyvald, 'ms'):,.2f} "
              f"| {median(redis, 'ms') / median(keyvald, 'ms'):.2f} "
              f"| {median(redis, 'cpu'):,.1f} | {median(keyvald, 'cpu'):,.1f} |", flush=True)


def load_strings(server):
    bits = random.Random(1)
    with Client(server) as client:
        client.ask("FLUSHALL")
        client.ask("SET", "short:1", bits.randbytes(SHORT_BITS))
        client.ask("SET", "short:2", bits.randbytes(SHORT_BITS))
        client.ask("SETRANGE", "long", LONG - 1, "x")
    server.rest()


def rates(pair, options):
    for server in pair:
        load(server, 0, KEYS)
        load(server, 0, KEYS, "counter", b"1")
        load(server, 0, PAGES, "page", b"x" * PAGE_SIZE)
        server.rest()
    compare(pair, WORKLOADS, options)
    compare_runs(pair, "GETRANGE of 100 bytes, pipeline 16", lambda server, count:
                 benchmark(server, GETRANGE, PIPELINE, count, PAGES), 1_500_000, options)
    compare_runs(pair, f"PUBLISH to {SUBSCRIBERS}, pipeline 16", publish, PUBLISHED, options)


def times(pair, options):
    print_times_head()
    for server in pair:
        with Client(server) as client:
            client.ask("FLUSHALL")
        load(server, 0, KEYS)
        server.rest()
    compare_times(pair, SCANS, options)
    for server in pair:
        load_strings(server)
    compare_times(pair, LARGE_STRINGS, options)


def commands(options):
    pair = servers("everysec")
    for server in pair:
        server.start()
    rates(pair, options)
    times(pair, options)
    end(pair)
