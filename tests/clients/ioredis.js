#!/usr/bin/env node
// ioredis: strings with deadlines, any bytes, pipelines, transactions, walking over keys, messages,
// monitoring, keys it is told of, lost connections, stores.
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import Redis from 'ioredis';

const { HOST, PORT, SERVER } = process.env;
const expect = assert.deepEqual;
const ready = (client) => new Promise((resolve) => client.once('ready', resolve));

function connect(options = {}) {
  const client = new Redis({ host: HOST, port: Number(PORT), retryStrategy: () => 20, ...options });
  client.on('error', () => {});
  return client;
}

async function strings(r) {
  expect(await r.ping(), 'PONG');
  expect(await r.set('k', 'v'), 'OK');
  expect(await r.get('k'), 'v');
  expect(await r.get('nothing'), null);
  expect(await r.set('k', 'w', 'NX'), null);
  expect(await r.set('k', 'x', 'EX', 100, 'XX', 'GET'), 'v');
  expect(await r.ttl('k'), 100);
  expect(await r.persist('k'), 1);
  expect(await r.setex('page', 60, '<html>'), 'OK');
  expect(await r.psetex('page', 60_000, '<html>'), 'OK');
  expect(await r.getex('page', 'PERSIST'), '<html>');
  expect(await r.expire('page', 500, 'NX'), 1);
  expect(await r.setnx('page', 'other'), 0);
  expect(await r.append('page', '</html>'), 13);
  expect(await r.getrange('page', -7, -1), '</html>');
  expect(await r.setrange('page', 1, 'HTML'), 13);
  expect(await r.getset('page', 'new'), '<HTML></html>');
  expect(await r.getdel('page'), 'new');
  expect(await r.mset({ a: 1, b: 2 }), 'OK');
  expect(await r.mget('a', 'b', 'c'), ['1', '2', null]);
  expect(await r.msetnx(new Map([['b', 1], ['c', 1]])), 0);
  expect(await r.incrby('a', 41), 42);
  expect(await r.decr('a'), 41);
  expect(await r.incrbyfloat('a', 0.25), '41.25');
  expect(await r.exists('a', 'b', 'c'), 2);
  expect(await r.rename('a', 'z'), 'OK');
  expect(await r.type('z'), 'string');
  expect(await r.del('z', 'b', 'nothing'), 2);
  await assert.rejects(r.incr('k'),
    { name: 'ReplyError', message: 'ERR value is not an integer or out of range' });
}

async function anyBytes(r) {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const big = randomBytes(20_000_000);
  await r.set(bytes, bytes);
  assert(bytes.equals(await r.getBuffer(bytes)));
  await r.set('big', big);
  assert(big.equals(await r.getBuffer('big')), '20 MB come back changed');
  await r.set('empty', '');
  expect(await r.get('empty'), '');
}

async function pipelines(r) {
  const pipeline = r.pipeline();
  for (let i = 0; i < 10_000; i++) pipeline.set(`item:${i}`, i).get(`item:${i}`);
  const answers = await pipeline.exec();
  for (let i = 0; i < 10_000; i++) expect(answers[2 * i + 1], [null, String(i)]);

  const auto = connect({ enableAutoPipelining: true });
  const got = await Promise.all(Array.from({ length: 1000 }, (_, i) => auto.get(`item:${i}`)));
  expect(got, Array.from({ length: 1000 }, (_, i) => String(i)));
  auto.disconnect();
}

async function transactions(r, other) {
  expect(await r.multi().set('account', 10).incrby('account', 5).expire('account', 60).exec(),
    [[null, 'OK'], [null, 15], [null, 1]]);
  await r.watch('account');
  await other.set('account', 99);
  expect(await r.multi().set('account', 0).exec(), null);
  expect(await r.get('account'), '99');
  await assert.rejects(r.multi().set('account').exec(),
    { message: 'EXECABORT Transaction discarded because of previous errors.' });
  const [, [error]] = await r.multi().set('word', 'x').incr('word').exec();
  expect(error.message, 'ERR value is not an integer or out of range');
}

async function walking(r) {
  await r.flushdb();
  const names = Array.from({ length: 3000 }, (_, i) => `user:${i}`);
  await r.mset(Object.fromEntries(names.map((name, i) => [name, i])));
  const collect = async (options) => {
    const all = new Set();
    for await (const keys of r.scanStream(options)) for (const key of keys) all.add(key);
    return [...all].sort();
  };
  expect((await collect({ count: 100 })).length, 3000);
  expect(await collect({ match: 'user:1?' }), names.slice(10, 20));
  expect(await collect({ type: 'hash' }), []);
  expect((await r.keys('user:299*')).length, 11);
  expect(await r.dbsize(), 3000);
}

async function messages(r) {
  const listener = connect();
  expect(await listener.subscribe('news', 'letters'), 2);
  expect(await listener.psubscribe('w*'), 3);
  const message = once(listener, 'messageBuffer');
  expect(await r.publish('news', Buffer.from([0, 255])), 1);
  expect((await message)[1], Buffer.from([0, 255]));
  const matched = once(listener, 'pmessage');
  expect(await r.publish('weather', 'cold'), 1);
  expect(await matched, ['w*', 'weather', 'cold']);
  expect(await r.pubsub('NUMSUB', 'news'), ['news', 1]);
  await assert.rejects(listener.get('k'), /subscriber mode/);
  expect(await listener.unsubscribe('news', 'letters'), 1);
  expect(await listener.punsubscribe('w*'), 0);
  expect(await listener.get('user:7'), '7');
  listener.disconnect();
}

async function monitoring(r) {
  const plain = connect();
  const monitor = await plain.monitor();
  const seen = once(monitor, 'monitor');
  await r.set('seen', 'a "b"');
  const [time, words, source, database] = await seen;
  expect([words, database], [['set', 'seen', 'a "b"'], '0']);
  assert.match(time, /^\d+\.\d{6}$/);
  assert.match(source, /^127\.0\.0\.1:\d+$/);
  monitor.disconnect();
  plain.disconnect();
}

/* A connection that the server closes, and a server that was away. */
async function connections(r) {
  const victim = connect({ connectionName: 'victim', db: 3 });
  await victim.set('in', 'three');
  const line = (await r.client('LIST')).split('\n').find((l) => l.includes(' name=victim '));
  const back = ready(victim);
  expect(await r.client('KILL', 'ID', /^id=(\d+)/.exec(line)[1]), 1);
  await back;
  expect(await victim.get('in'), 'three');
  expect(await victim.client('GETNAME'), 'victim');
  victim.disconnect();

  const listener = connect();
  await listener.subscribe('news');
  await r.set('stays', 'here');
  const returned = [ready(r), ready(listener)];
  execFileSync('redis-cli', ['-h', HOST, '-p', PORT, 'shutdown', 'save']);
  await Promise.all(returned);
  expect(await r.get('stays'), 'here');
  const message = once(listener, 'message');
  while ((await r.publish('news', 'subscribed again')) === 0);
  expect(await message, ['news', 'subscribed again']);
  listener.disconnect();
}

// What is kept here is heard of on another connection when it changes.
async function caching(r, other) {
  const listener = connect();
  const id = await listener.client('ID');
  await listener.subscribe('__redis__:invalidate');
  expect(await r.client('TRACKING', 'ON', 'REDIRECT', id), 'OK');
  expect(await r.set('price', 1), 'OK');
  expect(await r.get('price'), '1');
  const message = once(listener, 'message');
  expect(await other.set('price', 2), 'OK');
  expect(await message, ['__redis__:invalidate', 'price']); // ioredis makes a text of the array
  expect(await r.client('TRACKING', 'OFF'), 'OK');
  listener.disconnect();
}

async function stores() {
  const seven = connect({ db: 7 });
  expect(await seven.set('where', 'seven'), 'OK');
  expect(await seven.move('where', 8), 1);
  const eight = new Redis(`redis://${HOST}:${PORT}/8`);
  expect(await eight.get('where'), 'seven');
  await assert.rejects(seven.select(99), { message: 'ERR DB index is out of range' });
  eight.disconnect();
  seven.disconnect();
  if (SERVER !== 'keyvald') return;
  const shop = connect({ enableOfflineQueue: false, autoResendUnfulfilledCommands: false });
  shop.on('ready', () => shop.select('shop'));
  await ready(shop);
  expect(await shop.set('apples', 42), 'OK');
  expect((await shop.call('STORE', 'LIST')).includes('shop'), true);
  shop.disconnect();
}

const [r, other] = [connect(), connect()];
await strings(r);
await anyBytes(r);
await pipelines(r);
await transactions(r, other);
await walking(r);
await messages(r);
await monitoring(r);
await caching(r, other);
await connections(r);
await stores();
other.disconnect();
expect(await r.quit(), 'OK');
process.exit(); // ioredis keeps a timer of the connections that ended
