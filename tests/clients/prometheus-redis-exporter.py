#!/usr/bin/python3
"""prometheus-redis-exporter: the figures it fetches are those of this server, and none of its
own requests fails."""
# SPDX-License-Identifier: BSD-3-Clause
import json
import os
import re
import socket
import subprocess
import time
import urllib.request

PATIENCE_S = 30
ADDRESS = f"redis://{os.environ['HOST']}:{os.environ['PORT']}"


def cli(*args):
    done = subprocess.run(["redis-cli", "-u", ADDRESS, *args], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=True)
    return done.stdout.strip()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def metrics(port, path="/metrics"):
    """All the exporter tells: {name{labels}: value}."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as page:
                text = page.read().decode()
                return dict(re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.M))
        except OSError:
            assert time.monotonic() < until, "the exporter does not answer"
            time.sleep(0.02)


def start_exporter(*args):
    port = free_port()
    process = subprocess.Popen(
        ["prometheus-redis-exporter", "-redis.addr", ADDRESS, "-web.listen-address",
         f"127.0.0.1:{port}", *args], stderr=open("exporter.log", "w"))
    return port, process


def name_stores(*names):
    """The section of INFO that tells of them has names of any bytes."""
    script = "".join(f"SELECT {json.dumps(name)}\nMSET k v l v\n" for name in names)
    subprocess.run(["redis-cli", "-u", ADDRESS], input=script, text=True, check=True,
                   stdout=subprocess.DEVNULL, timeout=PATIENCE_S)
    told = cli("info", "stores").splitlines()
    assert len(told) == 1 + 2 + len(names), told  # behind a headline, with the numbered ones


cli("set", "stock:apples", "42")
cli("set", "stock:pears", "7", "ex", "1000")
cli("-n", "3", "set", "elsewhere", "x")
for _ in range(5):
    cli("get", "stock:apples")
cli("get", "nothing")
if os.environ["SERVER"] == "keyvald":
    name_stores("shop", 'db7:keys=1,"a"\n# Clients')

port, exporter = start_exporter("-check-keys", "stock:*", "-check-single-keys", "db3=elsewhere")
told = metrics(port)


def expect(name, value):
    assert told.get(name) == value, f"{name}: expected {value}, got {told.get(name)}"


def expect_above(name, bound):
    assert float(told.get(name, "-inf")) > bound, f"{name}: {told.get(name)}, not above {bound}"


expect("redis_up", "1")
expect("redis_exporter_last_scrape_error{err=\"\"}", "0")
expect('redis_db_keys{db="db0"}', "2")
expect('redis_db_keys_expiring{db="db0"}', "1")
expect('redis_db_keys{db="db3"}', "1")
assert sum(name.startswith('redis_db_keys{') and value != "0" for name, value in told.items()) == 2
expect("redis_keyspace_hits_total", "5")
expect("redis_keyspace_misses_total", "1")
expect('redis_commands_total{cmd="get"}', "6")
expect('redis_commands_total{cmd="set"}', "3")
expect("redis_blocked_clients", "0")
expect('redis_key_size{db="db0",key="stock:apples"}', "2")
expect('redis_key_value{db="db0",key="stock:apples"}', "42")
expect('redis_key_size{db="db3",key="elsewhere"}', "1")
expect("redis_config_io_threads", "1")
expect_above("redis_connected_clients", 0)
expect_above("redis_memory_used_bytes", 0)
expect_above("redis_commands_processed_total", 9)
expect_above("redis_start_time_seconds", time.time() - 600)
expect_above("redis_uptime_in_seconds", -1)
expect_above("redis_connections_received_total", 9)
expect_above("redis_net_input_bytes_total", 100)
expect_above("redis_slowlog_length", -1)
expect_above("redis_cpu_user_seconds_total", -1)
about = r'^redis_instance_info\{.*redis_build_id="[0-9a-f]+".*redis_version="7\.0'
assert any(re.search(about, name) for name in told), "no redis_instance_info"

# What other servers than its own are asked for, as Prometheus does with several targets.
told = metrics(port, f"/scrape?target={ADDRESS}")
expect("redis_up", "1")
exporter.kill()
exporter.wait()
with open("exporter.log") as log:
    text = log.read()
    assert "level=error" not in text, text
