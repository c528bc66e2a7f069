"""A server that is measured, with a directory of its own: its life, what it takes, its load."""
# SPDX-License-Identifier: BSD-3-Clause
import atexit
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
MB = 1024 * 1024
VALUE_SIZE = 100
KEYS = 1_000_000
LOAD_CHUNK = 10_000        # SETs sent at once while loading
REST_LIMIT_S = 120         # a server that is not at rest by then is measured all the same
START_LIMIT_S = 600


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def request_of(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


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


def load(server, first, count, name="key", value=b"x" * VALUE_SIZE):
    """Sets keys first ... first + count - 1, each once, in an order that is not theirs."""
    numbers = list(range(first, first + count))
    random.Random(count).shuffle(numbers)
    request = (b"*3\r\n$3\r\nSET\r\n$%d\r\n%b:%%012d\r\n$%d\r\n%b\r\n"
               % (len(name) + 13, name.encode(), len(value), value))
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        waiting = 0
        for at in range(0, count, LOAD_CHUNK):
            chunk = numbers[at:at + LOAD_CHUNK]
            s.sendall(b"".join(request % n for n in chunk))
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
