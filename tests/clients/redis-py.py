#!/usr/bin/python3
"""redis-py: strings with deadlines, counters, any bytes, pipelines, WATCH, walking over keys,
messages, keys it is told of, a lock without scripts, connections that are lost, stores."""
# SPDX-License-Identifier: BSD-3-Clause
import os
import threading
import time

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

HOST, PORT = os.environ["HOST"], int(os.environ["PORT"])
r = redis.Redis(HOST, PORT, socket_timeout=30)


def expect(got, right):
    assert got == right, f"expected {right!r}, got {got!r}"


def expect_error(kind, text, function, *args, **how):
    try:
        got = function(*args, **how)
    except kind as e:
        expect(str(e), text)
    else:
        raise AssertionError(f"expected the error {text!r}, got {got!r}")


def strings():
    expect(r.ping(), True)
    expect(r.set("k", "v"), True)
    expect(r.get("k"), b"v")
    expect(r.get("nothing"), None)
    expect(r.set("k", "w", nx=True), None)
    expect(r.set("k", "w", xx=True, get=True), b"v")
    expect(r.set("k", "x", ex=100), True)
    expect(r.ttl("k"), 100)
    expect(r.set("k", "y", keepttl=True), True)
    assert 90_000 < r.pttl("k") <= 100_000
    expect(r.persist("k"), True)
    expect(r.ttl("k"), -1)
    expect(r.setex("page", 60, "<html>"), True)
    expect(r.psetex("page", 60_000, "<html>"), True)
    expect(r.getex("page", ex=600), b"<html>")
    expect(r.ttl("page"), 600)
    expect(r.setnx("page", "other"), False)
    expect(r.append("page", "</html>"), 13)
    expect(r.getrange("page", 1, 4), b"html")
    expect(r.setrange("page", 1, "HTML"), 13)
    expect(r.substr("page", 0, 5), b"<HTML>")
    expect(r.strlen("page"), 13)
    expect(r.getset("page", "new"), b"<HTML></html>")
    expect(r.getdel("page"), b"new")
    expect(r.mset({"a": 1, "b": 2.5, "c": b"\0"}), True)
    expect(r.mget("a", "b", "nothing", "c"), [b"1", b"2.5", None, b"\0"])
    expect(r.msetnx({"c": 1, "d": 2}), False)
    expect(r.exists("a", "b", "d"), 2)
    expect(r.type("a"), b"string")
    expect(r.rename("a", "z"), True)
    expect(r.delete("z", "b", "nothing"), 2)
    expect(r.unlink("c"), 1)
    expect_error(redis.ResponseError, "value is not an integer or out of range", r.incr, "k")
    expect_error(redis.ResponseError, "no such key", r.rename, "nothing", "k")


def deadlines():
    now = int(r.time()[0])
    expect(r.set("k", "v", exat=now + 500), True)
    expect(r.expireat("k", now + 600, gt=True), True)
    expect(r.expire("k", 10, gt=True), False)
    expect(r.pexpire("k", 40), True)
    until = time.monotonic() + 30
    while r.exists("k"):
        assert time.monotonic() < until, "a key outlives its deadline"
    expect(r.get("k"), None)


def counters():
    expect(r.incr("hits"), 1)
    expect(r.incr("hits", 41), 42)
    expect(r.decr("hits"), 41)
    expect(r.decrby("hits", 40), 1)
    expect(r.incrbyfloat("hits", 0.5), 1.5)
    threads = [threading.Thread(target=lambda: [r.incr("visits") for _ in range(200)])
               for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    expect(r.get("visits"), b"1600")


def any_bytes():
    all_bytes = bytes(range(256))
    big = os.urandom(20_000_000)
    expect(r.set(all_bytes, all_bytes), True)
    expect(r.get(all_bytes), all_bytes)
    expect(r.set("big", big), True)
    assert r.get("big") == big, "20 MB come back changed"
    expect(r.set("empty", ""), True)
    expect(r.get("empty"), b"")
    text = redis.Redis(HOST, PORT, decode_responses=True)
    expect(text.set("ключ", "значение"), True)
    expect(text.get("ключ"), "значение")


def pipelines():
    with r.pipeline(transaction=False) as p:
        for i in range(10_000):
            p.set(f"item:{i}", i)
            p.get(f"item:{i}")
        answers = p.execute()
    expect(answers[1::2], [b"%d" % i for i in range(10_000)])

    with r.pipeline() as p:
        p.set("account", 10).incrby("account", 5).expire("account", 60)
        expect(p.execute(), [True, 15, True])
    with r.pipeline() as p:
        p.set("word", "x").incr("word").get("word")
        expect_error(redis.ResponseError, "Command # 2 (INCRBY word 1) of pipeline caused error: "
                     "value is not an integer or out of range", p.execute)
    expect(r.get("word"), b"x")


def watched_keys():
    with r.pipeline() as p:
        p.watch("account")
        balance = int(p.get("account"))
        p.multi()
        p.set("account", balance + 1)
        expect(p.execute(), [True])
        p.watch("account")
        r.set("account", 99)
        p.multi()
        p.set("account", 0)
        expect_error(redis.WatchError, "Watched variable changed.", p.execute)
    expect(r.transaction(lambda p: (p.multi(), p.incr("account")), "account"), [100])
    if os.environ["SERVER"] == "keyvald":
        with r.pipeline() as p:
            p.watch(*range(10_000))
            expect_error(redis.ResponseError, "too many watched keys", p.watch, "account")
            p.multi()
            expect(p.incr("account").execute(), [101])


def walking():
    r.flushdb()
    r.mset({f"user:{i}": i for i in range(3000)} | {f"page:{i}": i for i in range(50)})
    expect(sorted(r.scan_iter("page:*")), sorted(b"page:%d" % i for i in range(50)))
    expect(len(set(r.scan_iter(count=100))), 3050)
    expect(len(set(r.scan_iter(match="user:*", _type="string"))), 3000)
    expect(list(r.scan_iter(_type="hash")), [])
    expect(sorted(r.keys("page:1?")), [b"page:%d" % i for i in range(10, 20)])
    expect(r.dbsize(), 3050)
    assert r.randomkey().startswith((b"user:", b"page:"))


def messages():
    listener = r.pubsub()
    listener.subscribe("news")
    listener.psubscribe("weather.*")
    expect(listener.get_message(timeout=30)["type"], "subscribe")
    expect(listener.get_message(timeout=30)["type"], "psubscribe")
    expect(r.publish("news", b"\0hello"), 1)
    expect(r.publish("weather.north", "cold"), 1)
    expect(r.publish("nobody", "hears"), 0)
    expect(listener.get_message(timeout=30),
           {"type": "message", "pattern": None, "channel": b"news", "data": b"\0hello"})
    expect(listener.get_message(timeout=30),
           {"type": "pmessage", "pattern": b"weather.*", "channel": b"weather.north",
            "data": b"cold"})
    expect(r.pubsub_channels(), [b"news"])
    expect(r.pubsub_numsub("news", "nobody"), [(b"news", 1), (b"nobody", 0)])
    expect(r.pubsub_numpat(), 1)
    listener.ping()
    expect(listener.get_message(timeout=30)["type"], "pong")
    listener.unsubscribe()
    expect(listener.get_message(timeout=30)["data"], 1)
    listener.close()

    heard = threading.Event()
    listener = r.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(**{"calls": lambda message: heard.set()})
    thread = listener.run_in_thread(sleep_time=0.01)
    until = time.monotonic() + 30
    while not heard.is_set():
        assert time.monotonic() < until, "no message in the thread"
        r.publish("calls", "x")
    thread.stop()
    thread.join()


def notifications():
    """What a program that waits for a key to expire hears."""
    expect(r.config_set("notify-keyspace-events", "KEg$x"), True)
    listener = r.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("__keyevent@0__:*", "__keyspace@0__:brief")
    for _ in range(2):
        listener.get_message(timeout=30)
    r.set("brief", "x", px=40)
    expect([heard(listener) for _ in range(6)],
           [(b"__keyspace@0__:brief", b"set"), (b"__keyevent@0__:set", b"brief"),
            (b"__keyspace@0__:brief", b"expire"), (b"__keyevent@0__:expire", b"brief"),
            (b"__keyspace@0__:brief", b"expired"), (b"__keyevent@0__:expired", b"brief")])
    listener.close()
    expect(r.config_set("notify-keyspace-events", ""), True)


def heard(listener):
    message = listener.get_message(timeout=30)
    assert message, "no message"
    return message["channel"], message["data"]


def caching():
    """What is kept here is heard of on another connection when it changes."""
    with r.client() as reader:
        listener = redis.Redis(HOST, PORT, single_connection_client=True).connection
        listener.send_command("CLIENT ID")
        number = listener.read_response()
        listener.send_command("SUBSCRIBE __redis__:invalidate")
        listener.read_response()
        expect(reader.client_tracking_on(clientid=number), b"OK")
        expect(reader.client_getredir(), number)
        expect(reader.mget("price", "name"), [None, None])
        figures = ["clients", "total_keys", "total_items", "total_prefixes"]
        expect([r.info()["tracking_" + name] for name in figures], [1, 2, 2, 0])
        client, = [c for c in r.client_list() if int(c["id"]) == reader.client_id()]
        expect((client["flags"], client["redir"]), ("t", str(number)))
        r.set("price", 2)
        expect(listener.read_response(), [b"message", b"__redis__:invalidate", [b"price"]])
        r.flushdb()
        expect(listener.read_response(), [b"message", b"__redis__:invalidate", None])
        expect(reader.client_tracking_off(), b"OK")
        listener.disconnect()


def lock():
    """The lock that needs no script: taken with SET NX, given back with WATCH."""
    first, second = r.lock("lock", timeout=20), r.lock("lock", timeout=20)
    expect(first.acquire(blocking=False), True)
    expect(second.acquire(blocking=False), False)
    expect(first.owned(), True)
    with r.pipeline() as p:
        p.watch("lock")
        expect(p.get("lock"), first.local.token)
        p.multi()
        p.delete("lock")
        expect(p.execute(), [1])
    expect(second.acquire(blocking=False), True)


def lost_connections():
    """Those that the server closes, and one to a server that was away in between."""
    named = redis.Redis(HOST, PORT, client_name="lasting", health_check_interval=1)
    expect(named.client_getname(), "lasting")
    victim = [c for c in r.client_list() if c["name"] == "lasting"]
    expect(len(victim), 1)
    r.client_kill_filter(_id=victim[0]["id"])
    expect(named.client_getname(), "lasting")

    r.set("stays", "here")
    r.shutdown(save=True)
    patient = redis.Redis(HOST, PORT, retry=Retry(ConstantBackoff(0.05), 400),
                          retry_on_error=[redis.ConnectionError, OSError])
    expect(patient.get("stays"), b"here")
    expect(r.get("stays"), b"here")


def about_the_server():
    expect(r.info()["redis_version"][:3], "7.0")
    expect(r.info("server")["redis_mode"], "standalone")
    expect(r.info("keyspace")["db0"]["keys"], r.dbsize())
    expect(r.config_get("maxmemory"), {"maxmemory": "0"})
    expect(r.config_set("maxmemory", "100mb"), True)
    expect(r.config_get("maxmemory"), {"maxmemory": "104857600"})
    expect(r.command_count() > 0, True)
    expect(r.command()["get"]["arity"], 2)
    expect(r.echo("echo"), b"echo")
    assert r.memory_usage("stays") > 0
    assert r.object("encoding", "stays") in (b"embstr", b"raw")
    expect(type(r.object("idletime", "stays")), int)
    expect(r.client_id() > 0, True)
    expect(r.client_setname("me"), True)
    expect(r.lastsave().year >= 2024, True)
    expect(type(r.slowlog_get()), list)
    expect(r.slowlog_reset(), True)


def stores():
    expect(redis.Redis(HOST, PORT, db=7).set("where", "seven"), True)
    expect(redis.Redis.from_url(f"redis://{HOST}:{PORT}/7").get("where"), b"seven")
    expect(r.get("where"), None)
    seven = redis.Redis(HOST, PORT, db=7)
    expect(seven.move("where", 8), True)
    expect(redis.Redis(HOST, PORT, db=8).get("where"), b"seven")
    expect(redis.Redis(HOST, PORT, db=8).copy("where", "where", destination_db=7), True)
    expect(seven.flushdb(), True)
    if os.environ["SERVER"] == "keyvald":
        shop = redis.Redis(HOST, PORT, db="shop", decode_responses=True)
        expect(shop.set("apples", 42), True)
        expect(shop.get("apples"), "42")
        assert "shop" in shop.execute_command("STORE LIST")
        expect(r.exists("apples"), 0)


strings()
deadlines()
counters()
any_bytes()
pipelines()
watched_keys()
walking()
messages()
notifications()
caching()
lock()
lost_connections()
about_the_server()
stores()
