#!/usr/bin/env ruby
# redis-rb: strings with deadlines, any bytes, pipelines, transactions, walking over keys,
# messages, a server that was away, stores.
# SPDX-License-Identifier: BSD-3-Clause
require "redis"

ADDRESS = { host: ENV["HOST"], port: ENV["PORT"].to_i }.freeze

def expect(got, right)
  raise "expected #{right.inspect}, got #{got.inspect}" unless got == right
end

def expect_error(text)
  got = yield
rescue Redis::CommandError => e
  expect e.message, text
else
  raise "expected the error #{text.inspect}, got #{got.inspect}"
end

def strings(redis)
  expect redis.set("k", "v"), "OK"
  expect redis.get("k"), "v"
  expect redis.get("nothing"), nil
  expect redis.set("k", "w", nx: true), false
  expect redis.set("k", "w", xx: true, get: true), "v"
  expect redis.set("k", "x", ex: 100), "OK"
  expect redis.ttl("k"), 100
  expect redis.set("k", "y", keepttl: true), "OK"
  expect redis.pttl("k").between?(90_000, 100_000), true
  expect redis.persist("k"), true
  expect redis.setex("page", 60, "<html>"), "OK"
  expect redis.getex("page", persist: true), "<html>"
  expect redis.ttl("page"), -1
  expect redis.expire("page", 50, nx: true), true
  expect redis.expireat("page", Time.now.to_i + 500), true
  expect redis.setnx("page", "other"), false
  expect redis.append("page", "</html>"), 13
  expect redis.getrange("page", -7, -1), "</html>"
  expect redis.setrange("page", 1, "HTML"), 13
  expect redis.strlen("page"), 13
  expect redis.getset("page", "new"), "<HTML></html>"
  expect redis.getdel("page"), "new"
  expect redis.mset("a", 1, "b", 2), "OK"
  expect redis.mapped_mget("a", "b", "c"), { "a" => "1", "b" => "2", "c" => nil }
  expect redis.mapped_msetnx("b" => 1, "c" => 1), false
  expect redis.incrby("a", 41), 42
  expect redis.decr("a"), 41
  expect redis.incrbyfloat("a", 0.25), 41.25
  expect redis.exists("a", "b", "c"), 2
  expect redis.exists?("a"), true
  expect redis.rename("a", "z"), "OK"
  expect redis.renamenx("z", "b"), false
  expect redis.copy("z", "b", replace: true), true
  expect redis.type("z"), "string"
  expect redis.touch("z", "nothing"), 1
  expect redis.del("z", "nothing"), 1
  expect redis.unlink("b"), 1
  expect_error("ERR value is not an integer or out of range") { redis.incr("k") }
end

def any_bytes(redis)
  bytes = (0..255).to_a.pack("C*")
  big = Random.bytes(20_000_000)
  expect redis.set(bytes, bytes), "OK"
  expect redis.get(bytes).b, bytes
  redis.set("big", big)
  raise "20 MB come back changed" unless redis.get("big").b == big
  redis.set("empty", "")
  expect redis.get("empty"), ""
  redis.set("ключ", "значение")
  expect redis.get("ключ"), "значение"
end

def pipelines(redis)
  answers = redis.pipelined do |p|
    5000.times do |i|
      p.set("item:#{i}", i)
      p.get("item:#{i}")
    end
  end
  expect answers.each_slice(2).map(&:last), (0...5000).map(&:to_s)

  moved = redis.multi do |t|
    t.set("account", 10)
    t.incrby("account", 5)
    t.expire("account", 60)
  end
  expect moved, ["OK", 15, true]
end

def watched_keys(redis, other)
  expect(redis.watch("account") { |r| r.multi { |t| t.incr("account") } }, [16])
  lost = redis.watch("account") do |r|
    other.set("account", 99)
    r.multi { |t| t.set("account", 0) }
  end
  expect lost, nil
  expect redis.get("account"), "99"
  expect(redis.watch("account") { redis.unwatch }, "OK")
end

def walking(redis)
  redis.flushdb
  redis.mapped_mset((0...3000).to_h { |i| ["user:#{i}", i] })
  expect redis.scan_each.to_a.uniq.size, 3000
  expect redis.scan_each(match: "user:1?").to_a.uniq.sort, (10..19).map { |i| "user:#{i}" }
  expect redis.scan_each(type: "hash").to_a, []
  expect redis.keys("user:299*").size, 11
  expect redis.dbsize, 3000
  expect redis.randomkey.start_with?("user:"), true
end

def messages(redis)
  heard = []
  listener = Redis.new(**ADDRESS)
  listener.subscribe_with_timeout(30, "news") do |on|
    on.subscribe { 3.times { |i| redis.publish("news", "number #{i}") } }
    on.message do |channel, text|
      heard << [channel, text]
      listener.unsubscribe if heard.size == 3
    end
  end
  expect heard, (0..2).map { |i| ["news", "number #{i}"] }
  listener.psubscribe_with_timeout(30, "w*") do |on|
    on.psubscribe { expect redis.publish("weather", "cold"), 1 }
    on.pmessage do |*message|
      expect message, %w[w* weather cold]
      listener.punsubscribe
    end
  end
  expect redis.pubsub("numsub", "news"), ["news", 0]
  expect listener.ping, "PONG"
end

def away_and_back(redis)
  redis.set("stays", "here")
  patience = { reconnect_attempts: 400, reconnect_delay: 0.05, reconnect_delay_max: 0.05 }
  patient = Redis.new(**ADDRESS, **patience)
  expect patient.ping, "PONG"
  expect system("redis-cli", "-h", ENV["HOST"], "-p", ENV["PORT"], "shutdown", "save"), true
  expect patient.get("stays"), "here"
end

def stores
  seven = Redis.new(**ADDRESS, db: 7)
  expect seven.set("where", "seven"), "OK"
  expect Redis.new(url: "redis://#{ADDRESS[:host]}:#{ADDRESS[:port]}/7").get("where"), "seven"
  expect seven.move("where", 8), true
  expect seven.select(8), "OK"
  expect seven.get("where"), "seven"
  expect_error("ERR DB index is out of range") { seven.select(99) }
  return unless ENV["SERVER"] == "keyvald"

  seven.call([:select, "shop"])
  expect seven.set("apples", 42), "OK"
  expect seven.call(%w[store list]).include?("shop"), true
end

redis = Redis.new(**ADDRESS, timeout: 30)
strings(redis)
any_bytes(redis)
pipelines(redis)
watched_keys(redis, Redis.new(**ADDRESS))
walking(redis)
messages(redis)
expect redis.info["redis_version"][0, 3], "7.0"
expect redis.info(:commandstats)["get"]["calls"].to_i > 5000, true
expect redis.config(:get, "maxmemory"), { "maxmemory" => "0" }
expect redis.client(:setname, "me"), "OK"
expect redis.client(:list).map { |c| c["name"] }.include?("me"), true
expect redis.object(:encoding, "user:1"), "int"
away_and_back(redis)
stores
