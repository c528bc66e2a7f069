#!/usr/bin/python3
"""redis-cli: one-shot commands, files piped in, its ways to walk over the keys, its monitors,
RESP3, and the interactive prompt with its hints, on a terminal."""
# SPDX-License-Identifier: BSD-3-Clause
import os
import pty
import re
import select
import subprocess
import termios
import time

PATIENCE_S = 30
ADDRESS = ["-h", os.environ["HOST"], "-p", os.environ["PORT"]]


def cli(*args, data=None):
    """Runs redis-cli on data; gives what it printed, without the last newline."""
    done = subprocess.run(["redis-cli", *ADDRESS, *args], input=data, capture_output=True,
                          timeout=PATIENCE_S)
    assert done.returncode == 0, (args, done)
    return done.stdout.decode("latin-1").removesuffix("\n")


def expect(answer, *args, **how):
    got = cli(*args, **how)
    assert got == answer, f"redis-cli {args}\nexpected {answer!r}\ngot      {got!r}"


def expect_match(pattern, text):
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in\n{text}"
    return found


class Running:
    """A redis-cli that goes on until it is closed; with a terminal or with a pipe."""

    def __init__(self, *args, terminal=False):
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.output, self.text = ours, ""
        if terminal:
            termios.tcsetwinsize(ours, (25, 120))
        self.process = subprocess.Popen(
            ["redis-cli", *ADDRESS, *args], stdout=theirs, stderr=theirs,
            stdin=theirs if terminal else subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm"})
        os.close(theirs)

    def read_until(self, pattern):
        """Takes what it prints up to where pattern ends."""
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.output], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in\n{self.text}")
            self.text += os.read(self.output, 65536).decode("latin-1")
        taken, self.text = self.text[:found.end()], self.text[found.end():]
        return taken

    def type(self, text):
        os.write(self.output, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.output)


def one_shot():
    expect("PONG", "ping")
    expect("OK", "set", "greeting", "hello", "ex", "100")
    expect("hello", "get", "greeting")
    expect('"hello"', "--no-raw", "get", "greeting")
    expect("(nil)", "--no-raw", "get", "nothing")
    expect("(integer) 100", "--no-raw", "ttl", "greeting")
    expect("ERR value is not an integer or out of range\n", "incr", "greeting")
    expect("1\n2\n3", "-r", "3", "-i", "0.01", "incr", "visits")
    expect('1) "3"\n2) (nil)', "--no-raw", "mget", "visits", "nothing")
    expect('"3",NULL', "--csv", "mget", "visits", "nothing")
    expect("OK\nOK\n1", data=b"set a 1\nset 'b c' \"x\\x00y\"\nexists 'b c'\n\n")
    assert cli("get", "b c") == "x\0y"


def values_of_any_bytes():
    value = bytes(range(256)) * 5000
    expect("OK", "-x", "set", "bytes", data=value)
    assert cli("get", "bytes").encode("latin-1") == value
    expect(str(len(value)), "strlen", "bytes")


def numbered_stores():
    expect("OK", "-n", "1", "set", "where", "one")
    expect("one", "-n", "1", "get", "where")
    expect("", "get", "where")
    expect("one", "-u", f"redis://{ADDRESS[1]}:{ADDRESS[3]}/1", "get", "where")
    expect("OK\none", data=b"select 1\nget where\n")


def resp3():
    expect('1# "maxmemory" => "0"', "-3", "--no-raw", "config", "get", "maxmemory")
    expect("(nil)", "-3", "--no-raw", "get", "nothing")
    expect('{"maxmemory":"0"}', "--json", "config", "get", "maxmemory")
    expect_match(r'"proto" => \(integer\) 3\n', cli("-3", "--no-raw", "hello"))


def mass_insertion():
    """10,000 keys through --pipe; walked over by --scan, --bigkeys, --memkeys."""
    cli("flushall")
    requests = b"".join(b"*3\r\n$3\r\nSET\r\n$11\r\nuser:%06d\r\n$4\r\n%04d\r\n" % (i, i % 10000)
                        for i in range(10000))
    said = cli("--pipe", data=requests)
    expect_match(r"errors: 0, replies: 10000$", said)
    expect("10000", "dbsize")

    keys = [f"user:{i:06d}" for i in range(10000)]
    assert sorted(cli("--scan").split("\n")) == keys
    assert sorted(cli("--scan", "--pattern", "user:00012?").split("\n")) == keys[120:130]
    assert sorted(cli("--scan", "--pattern", "*99").split("\n")) == keys[99::100]

    cli("set", "longest", "x" * 5000)
    said = cli("--bigkeys")
    expect_match(r'Biggest string found \'"longest"\' has 5000 bytes', said)
    expect_match(r"10001 strings with 45000 bytes", said)


def memory_of_keys():
    expect_match(r'Biggest string found \'"longest"\' has \d+ bytes', cli("--memkeys"))


def monitors():
    stat = Running("--stat", "-i", "0.05")
    stat.read_until(r"keys +mem +clients +blocked +requests +connections")
    stat.read_until(r"\n10001 +[\d.]+[MGK]? +\d+ +0 +\d+ \(\+\d+\) +\d+")
    stat.close()

    expect_match(r"^\d+ \d+ [\d.]+ \d+$", cli("--latency", "-i", "0.3", "--raw"))

    monitor = Running("monitor")
    monitor.read_until("OK\n")
    cli("set", "watched", 'a "b"\n')
    monitor.read_until(r'\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "set" "watched" "a \\"b\\"\\n"\n')
    monitor.close()


def messages():
    listener = Running("--csv", "psubscribe", "news.*")
    listener.read_until(r'"psubscribe","news\.\*",1\n')
    expect("1", "publish", "news.art", "hello")
    listener.read_until(r'"pmessage","news\.\*","news\.art","hello"\n')
    listener.close()


def interactive():
    """What is typed at the prompt: hints, help, transactions, stores, messages."""
    shell = Running(terminal=True)

    def see_prompt(state=""):
        """What is typed before there is a prompt would be lost."""
        shell.read_until(re.escape(f"{ADDRESS[1]}:{ADDRESS[3]}{state}> "))

    def enter(line, answer):
        shell.type(line + "\r")
        shell.read_until(answer)

    see_prompt()
    shell.type("set color")
    shell.read_until(r"value \[NX\|XX\] \[GET\]")
    enter(" blue", r"\nOK\r")
    see_prompt()
    enter("help getdel", r"summary:\x1b\[0m \S")
    see_prompt()
    enter("nonsense a", r"\(error\) ERR unknown command 'nonsense', with args beginning with: 'a' ")
    see_prompt()
    enter("multi", r"\nOK\r")
    see_prompt("(TX)")
    enter("get color", r"\nQUEUED\r")
    see_prompt("(TX)")
    enter("exec", r'\n1\) "blue"\r')
    see_prompt()
    enter("select 3", r"\nOK\r")
    see_prompt("[3]")
    enter("get color", r"\n\(nil\)\r")
    see_prompt("[3]")
    if os.environ["SERVER"] == "keyvald":
        shell.type("store rename shop")
        shell.read_until("newname")
        enter(" market", r"\(error\) ERR no such store")
        see_prompt("[3]")
    enter("subscribe letters", r'1\) "subscribe"\r\n2\) "letters"\r\n3\) \(integer\) 1')
    cli("publish", "letters", "dear")
    shell.read_until(r'1\) "message"\r\n2\) "letters"\r\n3\) "dear"')
    shell.close()


def named_stores():
    expect("OK\nOK\n42\nOK\n0",
           data=b"select shop\nset apples 42\nget apples\nselect 0\nexists apples\n")


def clear_errors():
    """What is not there yet is said by name."""
    script = "answer.lua"
    with open(script, "w") as f:
        f.write("return 1")
    expect("ERR unknown command 'EVAL', with args beginning with: 'return 1' '0' \n",
           "--eval", script)
    for option, command in [("--rdb", "SYNC"), ("--functions-rdb", "REPLCONF")]:
        done = subprocess.run(["redis-cli", *ADDRESS, option, "dump.rdb"], text=True,
                              capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == 1, done
        expect_match(f"ERR unknown command '{command}'", done.stdout + done.stderr)


one_shot()
values_of_any_bytes()
numbered_stores()
resp3()
mass_insertion()
memory_of_keys()
monitors()
messages()
interactive()
if os.environ["SERVER"] == "keyvald":
    named_stores()
    clear_errors()
