#!/usr/bin/python3
"""Django's cache and its sessions, with django-redis behind them. Its locks are left out: they
are scripts. So is incr of a key that is not there; where there are no scripts, incr of one that is
there is a GET and a SET."""
# SPDX-License-Identifier: BSD-3-Clause
import os
import time

import django
from django.conf import settings

ADDRESS = f"redis://{os.environ['HOST']}:{os.environ['PORT']}"
BACKEND = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"{ADDRESS}/1"}
ZLIB = {"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}
JSON = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}

settings.configure(
    SECRET_KEY="x",
    CACHES={
        "default": BACKEND,
        "packed": {**BACKEND, "OPTIONS": ZLIB, "KEY_PREFIX": "packed"},
        "json": {**BACKEND, "LOCATION": f"{ADDRESS}/2", "OPTIONS": JSON, "TIMEOUT": 1000},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.cache.UpdateCacheMiddleware",
                "django.middleware.cache.FetchFromCacheMiddleware"],
    DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS=True,
)
django.setup()

from django.core.cache import cache, caches  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.cache import never_cache  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402


def expect(got, right):
    assert got == right, f"expected {right!r}, got {got!r}"


def expect_gone(store, key):
    until = time.monotonic() + 30
    while store.get(key) is not None:
        assert time.monotonic() < until, f"{key} outlives its deadline"


rendered = []


def page(request):
    rendered.append(request.path)
    return HttpResponse(f"page number {len(rendered)}")


@never_cache
def visit(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(str(request.session["visits"]))


urlpatterns = [path("page", page), path("visit", visit)]


def values():
    value = {"list": [1, 2.5, None, "текст"], "bytes": bytes(range(256))}
    expect(cache.set("object", value, 100), True)
    expect(cache.get("object"), value)
    expect(cache.ttl("object"), 100)
    expect(cache.get("nothing", "default"), "default")
    expect(cache.add("object", 1), False)
    expect(cache.add("number", 1, 100), True)
    expect(cache.incr("number"), 2)
    expect(cache.incr("number", 40), 42)
    expect(cache.decr("number"), 41)
    expect(cache.get("number"), 41)
    expect(cache.has_key("number"), True)
    expect(cache.touch("number", 500), True)
    expect(cache.ttl("number"), 500)
    expect(cache.persist("number"), True)
    expect(cache.ttl("number"), None)
    expect(cache.expire("number", 100), True)
    expect(cache.pttl("number") > 90_000, True)
    expect(cache.get_or_set("computed", lambda: "once", 10), "once")
    expect(cache.get_or_set("computed", lambda: "twice", 10), "once")
    expect(cache.delete("computed"), True)
    expect(cache.set("brief", "x", timeout=0.05), True)
    expect_gone(cache, "brief")
    expect(cache.set("locked", 1, nx=True), True)
    expect(cache.set("locked", 2, nx=True), False)


def many():
    values = {f"many:{i}": i for i in range(500)}
    cache.set_many(values, 100)
    expect(cache.get_many([*values, "nothing"]), values)
    expect(sorted(cache.keys("many:1?")), [f"many:{i}" for i in range(10, 20)])
    expect(sorted(cache.iter_keys("many:*")), sorted(values))
    expect(cache.delete_many(["many:0", "many:1", "nothing"]), 2)
    expect(cache.delete_pattern("many:*"), 498)
    expect(cache.set("versioned", "first", version=1), True)
    expect(cache.incr_version("versioned"), 2)
    expect(cache.get("versioned", version=2), "first")
    expect(cache.get("versioned"), None)


def other_ways_to_keep():
    packed, plain = caches["packed"], caches["json"]
    expect(packed.set("long", "x" * 1_000_000), True)
    expect(packed.get("long"), "x" * 1_000_000)
    expect(plain.set("page", {"title": "a"}), True)
    expect(get_redis_connection("json").get(":1:page"), b'{"title": "a"}')
    expect(plain.ttl("page"), 1000)
    packed.clear()
    expect(packed.get("long"), None)
    expect(plain.get("page"), {"title": "a"})


def pages_and_sessions():
    browser, other = Client(), Client()
    expect(browser.get("/page").content, b"page number 1")
    expect(other.get("/page").content, b"page number 1")
    expect(browser.get("/page?another").content, b"page number 2")
    expect([browser.get("/visit").content for _ in range(3)], [b"1", b"2", b"3"])
    expect(other.get("/visit").content, b"1")


def restart():
    get_redis_connection("json").shutdown(save=True)
    until = time.monotonic() + 30
    while True:
        try:
            return expect(caches["json"].get("page"), {"title": "a"})
        except Exception:
            assert time.monotonic() < until, "no answer after a restart"


values()
many()
other_ways_to_keep()
pages_and_sessions()
restart()
