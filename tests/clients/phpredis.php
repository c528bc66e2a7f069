#!/usr/bin/env php
<?php
// phpredis: strings with deadlines, any bytes, serializers, pipelines, transactions, walking over
// keys, messages, a server that was away, stores.
// SPDX-License-Identifier: BSD-3-Clause
set_error_handler(
    fn ($kind, $text) => error_reporting() & $kind ? throw new ErrorException($text) : true
);

define('REDIS_CLI', 'redis-cli -h ' . getenv('HOST') . ' -p ' . getenv('PORT'));

function expect($got, $right)
{
    if ($got !== $right) {
        [$right, $got] = [var_export($right, true), var_export($got, true)];
        throw new Exception("expected $right, got $got");
    }
}

function connect()
{
    $redis = new Redis();
    expect($redis->connect(getenv('HOST'), (int)getenv('PORT'), 30), true);
    return $redis;
}

function strings($r)
{
    expect($r->ping(), true);
    expect($r->ping('hello'), 'hello');
    expect($r->set('k', 'v'), true);
    expect($r->get('k'), 'v');
    expect($r->get('nothing'), false);
    expect($r->set('k', 'w', ['nx', 'ex' => 10]), false);
    expect($r->set('k', 'x', ['xx', 'px' => 100000]), true);
    expect($r->ttl('k'), 100);
    expect($r->persist('k'), true);
    expect($r->setex('page', 60, '<html>'), true);
    expect($r->psetex('page', 60000, '<html>'), true);
    expect($r->expire('page', 100), true);
    expect($r->expireAt('page', time() + 500), true);
    expect($r->setnx('page', 'other'), false);
    expect($r->append('page', '</html>'), 13);
    expect($r->getRange('page', -7, -1), '</html>');
    expect($r->setRange('page', 1, 'HTML'), 13);
    expect($r->strlen('page'), 13);
    expect($r->getSet('page', 'new'), '<HTML></html>');
    expect($r->mset(['a' => 1, 'b' => '2']), true);
    expect($r->mget(['a', 'b', 'c']), ['1', '2', false]);
    expect($r->msetnx(['b' => 1, 'c' => 1]), false);
    expect($r->incr('a', 41), 42);
    expect($r->decr('a'), 41);
    expect($r->incrByFloat('a', 0.25), 41.25);
    expect($r->exists(['a', 'b', 'c']), 2);
    expect($r->rename('a', 'z'), true);
    expect($r->type('z'), Redis::REDIS_STRING);
    expect($r->del(['z', 'nothing']), 1);
    expect($r->unlink('b'), 1);
    expect($r->incr('k'), false);
    expect(rtrim($r->getLastError(), "\0"), 'ERR value is not an integer or out of range');
    $r->clearLastError();
}

function any_bytes($r)
{
    $bytes = implode('', array_map('chr', range(0, 255)));
    $big = random_bytes(20000000);
    expect($r->set($bytes, $bytes), true);
    expect($r->get($bytes), $bytes);
    expect($r->set('big', $big), true);
    expect($r->get('big') === $big, true);
    expect($r->set('empty', ''), true);
    expect($r->get('empty'), '');

    $object = ['title' => 'текст', 'tags' => [1, 2.5, null, true]];
    foreach ([Redis::SERIALIZER_PHP, Redis::SERIALIZER_IGBINARY, Redis::SERIALIZER_JSON] as $kind) {
        $other = connect();
        $other->setOption(Redis::OPT_SERIALIZER, $kind);
        $other->setOption(Redis::OPT_PREFIX, "app:$kind:");
        expect($other->set('object', $object, 100), true);
        expect($other->get('object'), $object);
        expect($r->exists("app:$kind:object"), 1);
    }
}

function pipelines($r, $other)
{
    $p = $r->multi(Redis::PIPELINE);
    for ($i = 0; $i < 5000; $i++) {
        $p->set("item:$i", $i)->get("item:$i");
    }
    $answers = $p->exec();
    for ($i = 0; $i < 5000; $i++) {
        expect($answers[2 * $i + 1], (string)$i);
    }

    expect($r->multi()->set('account', 10)->incrBy('account', 5)->expire('account', 60)->exec(),
        [true, 15, true]);
    $r->watch('account');
    $other->set('account', 99);
    expect($r->multi()->set('account', 0)->exec(), false);
    expect($r->get('account'), '99');
    expect($r->unwatch(), true);
    $r->multi()->set('account', 0);
    expect($r->discard(), true);
    expect($r->get('account'), '99');
}

function walking($r)
{
    expect($r->flushDB(), true);
    $names = array_map(fn ($i) => "user:$i", range(0, 2999));
    expect($r->mset(array_combine($names, range(0, 2999))), true);
    $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $cursor = null;
    $seen = [];
    while ($keys = $r->scan($cursor, 'user:*', 100)) {
        $seen += array_flip($keys);
    }
    expect(count($seen), 3000);
    $keys = $r->keys('user:1?');
    sort($keys);
    expect($keys, array_slice($names, 10, 10));
    expect($r->dbSize(), 3000);
    expect(substr($r->randomKey(), 0, 5), 'user:');
}

/* Listens until it has heard a message, which another program sends as soon as somebody listens.
   Only a closed connection ends subscribe in this version. */
function hear($listen, $channel, $text)
{
    $say = REDIS_CLI . " publish $channel $text";
    $speaker = proc_open("sh -c 'until [ \$($say) = 1 ]; do sleep 0.02; done'", [], $pipes);
    $listener = connect();
    $listener->setOption(Redis::OPT_READ_TIMEOUT, 30);
    $heard = null;
    try {
        $listen($listener, function ($r, ...$message) use (&$heard) {
            $heard = $message;
            $r->close();
        });
    } catch (RedisException) {
        expect(proc_close($speaker), 0);
    }
    return $heard;
}

function messages($r)
{
    expect($r->publish('news', 'nobody hears'), 0);
    $news = fn ($listener, $take) => $listener->subscribe(['news'], $take);
    expect(hear($news, 'news', 'hello'), ['news', 'hello']);
    $weather = fn ($listener, $take) => $listener->psubscribe(['w*'], $take);
    expect(hear($weather, 'weather', 'cold'), ['w*', 'weather', 'cold']);
    expect($r->pubsub('numsub', ['nobody']), ['nobody' => 0]);
}

function away_and_back()
{
    $patient = connect();
    $patient->setOption(Redis::OPT_MAX_RETRIES, 300);
    $patient->setOption(Redis::OPT_BACKOFF_ALGORITHM, Redis::BACKOFF_ALGORITHM_CONSTANT);
    $patient->setOption(Redis::OPT_BACKOFF_BASE, 50);
    $patient->setOption(Redis::OPT_BACKOFF_CAP, 50);
    expect($patient->set('stays', 'here'), true);
    $wait = 'until ' . REDIS_CLI . ' ping; do :; done >/dev/null 2>&1';
    $restart = REDIS_CLI . " shutdown save && $wait";
    expect(proc_close(proc_open($restart, [], $pipes)), 0);
    expect($patient->get('stays'), 'here');
}

function about_the_server($r)
{
    expect(substr($r->info()['redis_version'], 0, 3), '7.0');
    expect($r->config('GET', 'maxmemory'), ['maxmemory' => '0']);
    expect($r->client('setname', 'me'), true);
    expect($r->client('getname'), 'me');
    expect(in_array('me', array_column($r->client('list'), 'name')), true);
    expect($r->object('encoding', 'user:1'), 'int');
    expect(abs($r->time()[0] - time()) < 100, true);
    expect($r->echo('echo'), 'echo');
    expect(is_int($r->lastSave()), true);
}

function stores()
{
    $seven = connect();
    expect($seven->select(7), true);
    expect($seven->set('where', 'seven'), true);
    expect($seven->move('where', 8), true);
    expect($seven->select(8), true);
    expect($seven->get('where'), 'seven');
    expect($seven->select(99), false);
    expect(rtrim($seven->getLastError(), "\0"), 'ERR DB index is out of range');
    if (getenv('SERVER') === 'keyvald') {
        expect($seven->rawCommand('select', 'shop'), true);
        expect($seven->set('apples', 42), true);
        expect($seven->rawCommand('store', 'list'), ['0', '8', 'shop']);
    }
}

$r = connect();
strings($r);
any_bytes($r);
pipelines($r, connect());
walking($r);
messages($r);
about_the_server($r);
away_and_back();
stores();
