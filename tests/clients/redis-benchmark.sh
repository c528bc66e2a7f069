#!/usr/bin/env bash
# redis-benchmark: its tests of strings, pipelined, with threads, in RESP3, in a numbered store;
# every request is answered, none with an error, and what they counted is there.
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail

cli() { redis-cli -h "$HOST" -p "$PORT" "$@"; }

fail() {
    echo "$*" >&2
    exit 1
}

expect() { # answer command...
    local got
    got=$(cli "${@:2}")
    [[ $got == "$1" ]] || fail "${*:2}: expected '$1', got '$got'"
}

# bench <rows of figures to come> <argument>...
bench() {
    local rows=$1
    shift
    timeout 60 redis-benchmark -h "$HOST" -p "$PORT" --csv "$@" >out 2>err ||
        fail "redis-benchmark $*: status $?: $(cat out err)"
    [[ ! -s err ]] || fail "redis-benchmark $* complains: $(cat err)"
    [[ $(grep -cE '^"[^"]+","[1-9][0-9.]+"' out) -eq $rows ]] ||
        fail "redis-benchmark $*: not $rows rows of figures: $(cat out)"
}

bench 6 -t ping,set,get,incr,mset -n 5000
expect 5000 get counter:__rand_int__
expect VXK get key:__rand_int__
expect 2 dbsize

bench 4 -t set,get,incr,mset -n 50000 -P 16 -r 1000 -d 100
bench 2 -t set,incr -n 20000 -c 20 --threads 2 -P 4
expect 25000 get counter:__rand_int__
bench 2 -t set,get -n 5000 -3
bench 1 -t incr -n 3000 --dbnum 5
expect 3000 -n 5 get counter:__rand_int__

# Its own command, text put in for the numbers.
cli flushall >/dev/null
bench 1 -n 2000 -r 50 set user:__rand_int__ __rand_int__ ex 100
[[ $(cli dbsize) -le 50 ]] || fail "more than 50 keys: $(cli dbsize)"
bench 1 -n 1000 -x set typed <<<"typed in"
expect "typed in" get typed

[[ $(cli info errorstats | grep -c ^errorstat) -eq 0 ]] || fail "errors: $(cli info errorstats)"

# What is not there yet is said by name.
if [[ $SERVER == keyvald ]]; then
    for name in LPUSH SADD HSET ZADD; do
        timeout 60 redis-benchmark -h "$HOST" -p "$PORT" -q -n 100 -t "${name,,}" >out 2>&1 || true
        grep -q "Error from server: ERR unknown command '$name'" out ||
            fail "redis-benchmark -t ${name,,}: $(cat out)"
    done
fi
