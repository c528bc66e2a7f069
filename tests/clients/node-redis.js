#!/usr/bin/env node
// node-redis, in RESP2 and in RESP3: strings with deadlines, any bytes, pipelines, transactions,
// walking over keys, messages, pools, lost connections, stores.
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createClient, createClientPool, ErrorReply, RESP_TYPES, WatchError } from 'redis';

const { HOST, PORT, SERVER } = process.env;
const socket = { host: HOST, port: Number(PORT), reconnectStrategy: () => 20 };
const expect = assert.deepEqual;
const ready = (client) => new Promise((resolve) => client.once('ready', resolve));

async function connect(options = {}) {
  const client = createClient({ socket, ...options });
  client.on('error', () => {});
  return client.connect();
}

async function collect(iterator) {
  const all = new Set();
  for await (const keys of iterator) for (const key of keys) all.add(key);
  return [...all].sort();
}

async function strings(r) {
  expect(await r.ping(), 'PONG');
  expect(await r.set('k', 'v'), 'OK');
  expect(await r.get('k'), 'v');
  expect(await r.get('nothing'), null);
  expect(await r.set('k', 'w', { condition: 'NX' }), null);
  const expiration = { type: 'EX', value: 100 };
  expect(await r.set('k', 'x', { condition: 'XX', GET: true, expiration }), 'v');
  expect(await r.ttl('k'), 100);
  expect(await r.set('k', 'y', { expiration: 'KEEPTTL' }), 'OK');
  assert((await r.pTTL('k')) > 90_000);
  expect(await r.persist('k'), 1);
  expect(await r.setEx('page', 60, '<html>'), 'OK');
  expect(await r.getEx('page', { type: 'EX', value: 600 }), '<html>');
  expect(await r.expire('page', 500, 'LT'), 1);
  expect(await r.expireAt('page', new Date(Date.now() + 900_000), 'GT'), 1);
  expect(Math.abs((await r.expireTime('page')) - Date.now() / 1000 - 900) < 10, true);
  expect(await r.setNX('page', 'other'), 0);
  expect(await r.append('page', '</html>'), 13);
  expect(await r.getRange('page', -7, -1), '</html>');
  expect(await r.setRange('page', 1, 'HTML'), 13);
  expect(await r.strLen('page'), 13);
  expect(await r.getSet('page', 'new'), '<HTML></html>');
  expect(await r.getDel('page'), 'new');
  expect(await r.mSet({ a: '1', b: '2' }), 'OK');
  expect(await r.mGet(['a', 'b', 'c']), ['1', '2', null]);
  expect(await r.mSetNX({ b: '1', c: '1' }), 0);
  expect(await r.incrBy('a', 41), 42);
  expect(await r.decr('a'), 41);
  expect(await r.incrByFloat('a', 0.25), '41.25');
  expect(await r.exists(['a', 'b', 'c']), 2);
  expect(await r.rename('a', 'z'), 'OK');
  expect(await r.copy('z', 'b', { REPLACE: true }), 1);
  expect(await r.type('z'), 'string');
  expect(await r.lcs('z', 'b'), '41.25');
  expect(await r.del(['z', 'nothing']), 1);
  expect(await r.unlink('b'), 1);
  await assert.rejects(r.incr('k'), new ErrorReply('ERR value is not an integer or out of range'));
}

async function anyBytes(r) {
  const raw = r.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const big = randomBytes(20_000_000);
  await r.set(bytes, bytes);
  assert(bytes.equals(await raw.get(bytes)));
  await r.set('big', big);
  assert(big.equals(await raw.get('big')), '20 MB come back changed');
  await r.set('empty', '');
  expect(await r.get('empty'), '');
  await r.set('ключ', 'значение');
  expect(await r.get('ключ'), 'значение');
}

/* What is asked in one turn of the event loop goes out as one pipeline. */
async function pipelines(r) {
  const numbers = Array.from({ length: 10_000 }, (_, i) => String(i));
  await Promise.all(numbers.map((n) => r.set(`item:${n}`, n)));
  expect(await Promise.all(numbers.map((n) => r.get(`item:${n}`))), numbers);
}

async function transactions(r, other) {
  const moved = r.multi().set('account', 10).incrBy('account', 5).expire('account', 60);
  expect(await moved.exec(), ['OK', 15, 1]);
  await r.watch('account');
  expect(await r.multi().incr('account').exec(), [16]);
  await r.watch('account');
  await other.set('account', 99);
  await assert.rejects(r.multi().set('account', 0).exec(), WatchError);
  expect(await r.get('account'), '99');
  const failed = await r.multi().set('word', 'x').incr('word').exec().catch((e) => e);
  expect(failed.replies[0], 'OK');
  expect(failed.replies[1].message, 'ERR value is not an integer or out of range');
}

async function walking(r) {
  await r.flushDb();
  const names = Array.from({ length: 3000 }, (_, i) => `user:${i}`);
  await r.mSet(names.map((name, i) => [name, String(i)]));
  expect((await collect(r.scanIterator({ COUNT: 100 }))).length, 3000);
  expect(await collect(r.scanIterator({ MATCH: 'user:1?' })), names.slice(10, 20));
  expect(await collect(r.scanIterator({ TYPE: 'hash' })), []);
  expect((await r.keys('user:299*')).length, 11);
  expect(await r.dbSize(), 3000);
  assert((await r.randomKey()).startsWith('user:'));
}

async function messages(r, options) {
  const listener = await connect(options);
  const heard = [];
  const enough = new Promise((resolve) => {
    const take = (text, channel) => {
      heard.push([channel, text]);
      if (heard.length === 2) resolve();
    };
    listener.subscribe('news', take).then(() => listener.pSubscribe('w*', take)).then(async () => {
      expect(await r.publish('news', 'hello'), 1);
      expect(await r.publish('weather', 'cold'), 1);
      expect(await r.publish('nobody', 'hears'), 0);
    });
  });
  await enough;
  expect(heard, [['news', 'hello'], ['weather', 'cold']]);
  expect(await r.pubSubChannels(), ['news']);
  expect({ ...(await r.pubSubNumSub(['news'])) }, { news: 1 });
  expect(await r.pubSubNumPat(), 1);
  if (options.RESP === 3) expect(await listener.get('user:7'), '7');
  expect(await listener.ping('still there'), 'still there');
  await listener.unsubscribe('news');
  await listener.pUnsubscribe('w*');
  expect(String(await listener.get('user:8')), '8');
  listener.destroy();
}

async function aboutTheServer(r, options) {
  assert.match(await r.info('server'), /^redis_version:7\.0/m);
  expect({ ...(await r.configGet('maxmemory')) }, { maxmemory: '0' });
  expect(await r.clientSetName('me'), 'OK');
  expect(await r.clientGetName(), 'me');
  const me = await r.clientInfo();
  expect([me.name, me.id, me.db], ['me', await r.clientId(), 0]);
  expect((await r.clientList()).some((c) => c.id === me.id && c.name === 'me'), true);
  expect(await r.objectEncoding('user:7'), 'int');
  assert((await r.memoryUsage('user:7')) > 0);
  expect((await r.commandInfo(['get']))[0].arity, 2);
  const hello = await r.hello();
  expect([hello.server, hello.proto], ['redis', options.RESP]);
}

/* A pool, connections that the server closes, and a server that was away. */
async function connections(r, options) {
  const pool = createClientPool({ socket, ...options }, { minimum: 2, maximum: 4 });
  pool.on('error', () => {});
  await pool.connect();
  const counts = await Promise.all(Array.from({ length: 100 }, () => pool.incr('pool')));
  expect(Math.max(...counts), 100);
  await pool.close();

  const victim = await connect({ ...options, name: 'victim' });
  const [{ id }] = (await r.clientList()).filter((c) => c.name === 'victim');
  const back = ready(victim);
  expect(await r.clientKill({ filter: 'ID', id }), 1);
  await back;
  expect(await victim.clientGetName(), 'victim');
  victim.destroy();

  const listener = await connect(options);
  const heard = [];
  await listener.subscribe('news', (text) => heard.push(text));
  await r.set('stays', 'here');
  const returned = [ready(r), ready(listener)];
  execFileSync('redis-cli', ['-h', HOST, '-p', PORT, 'shutdown', 'save']);
  await Promise.all(returned);
  expect(await r.get('stays'), 'here');
  expect(await r.publish('news', 'subscribed again'), 1);
  await r.ping();
  while (heard.length === 0) await new Promise(setImmediate);
  expect(heard, ['subscribed again']);
  listener.destroy();
}

async function stores(options) {
  const seven = await connect({ ...options, database: 7 });
  expect(await seven.set('where', 'seven'), 'OK');
  expect(await seven.move('where', 8), 1);
  const eight = createClient({ url: `redis://${HOST}:${PORT}/8` });
  await eight.connect();
  expect(await eight.get('where'), 'seven');
  await assert.rejects(seven.select(99), new ErrorReply('ERR DB index is out of range'));
  await eight.flushDb();
  eight.destroy();
  seven.destroy();
  if (SERVER !== 'keyvald') return;
  const shop = await connect({ ...options, database: 'shop' });
  expect(await shop.set('apples', 42), 'OK');
  expect((await shop.sendCommand(['STORE', 'LIST'])).includes('shop'), true);
  shop.destroy();
}

for (const RESP of [2, 3]) {
  const options = { RESP };
  const r = await connect(options);
  const other = await connect(options);
  await r.flushAll();
  await strings(r);
  await anyBytes(r);
  await pipelines(r);
  await transactions(r, other);
  await walking(r);
  await messages(r, options);
  await aboutTheServer(r, options);
  await connections(r, options);
  await stores(options);
  await other.close();
  await r.close();
}
