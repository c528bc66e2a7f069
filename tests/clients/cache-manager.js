#!/usr/bin/env node
// cache-manager and Keyv with @keyv/redis: values with deadlines, several at once, namespaces,
// two tiers, iteration, a server that was away.
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import KeyvRedis, { createClient } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';

const { HOST, PORT } = process.env;
const address = `redis://${HOST}:${PORT}`;
const expect = assert.deepEqual;
const nextTurn = () => new Promise(setImmediate);

function keyv(namespace) {
  const adapter = new KeyvRedis({ url: `${address}/1`, socket: { reconnectStrategy: () => 20 } });
  const store = new Keyv(adapter, { namespace, useKeyPrefix: false });
  store.on('error', () => {});
  return store;
}

async function values() {
  const pages = keyv('pages');
  const object = { title: 'текст', tags: [1, 2.5, null], big: 'x'.repeat(1_000_000) };
  expect(await pages.set('object', object, 100_000), true);
  expect(await pages.get('object'), object);
  expect(await pages.get('nothing'), undefined);
  expect(await pages.has('object'), true);
  await pages.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2, ttl: 100_000 }]);
  expect(await pages.getMany(['a', 'nothing', 'b']), [1, undefined, 2]);
  expect(await pages.hasMany(['a', 'nothing']), [true, false]);
  expect(await pages.delete('a'), true);
  expect(await pages.set('brief', 'x', 30), true);
  while ((await pages.get('brief')) !== undefined) await nextTurn();

  const other = keyv('other');
  await other.set('b', 'another b');
  const names = [];
  for await (const [key] of pages.iterator()) names.push(key);
  expect(names.sort(), ['b', 'object']);
  await pages.clear();
  expect(await pages.get('b'), undefined);
  expect(await other.get('b'), 'another b');

  const raw = await createClient({ url: `${address}/1` }).connect();
  expect(await raw.keys('*'), ['other::b']);
  await raw.close();
  await pages.disconnect();
  return other;
}

async function tiers() {
  const cache = createCache({ stores: [new Keyv(), keyv('tiers')], ttl: 100_000 });
  let computed = 0;
  const compute = async () => ({ number: ++computed });
  expect(await cache.wrap('slow', compute), { number: 1 });
  expect(await cache.wrap('slow', compute), { number: 1 });
  expect(await cache.set('k', 'v'), 'v');
  expect(await cache.get('k'), 'v');
  await cache.mset([{ key: 'a', value: 1 }, { key: 'b', value: 2 }]);

  const second = createCache({ stores: [keyv('tiers')] }); // another process's view
  expect(await second.wrap('slow', compute), { number: 1 });
  expect(await second.mget(['a', 'nothing', 'b']), [1, undefined, 2]);
  assert((await second.ttl('k')) > Date.now() + 90_000);
  expect(await second.del('a'), true);
  expect(await second.mdel(['b', 'k']), true);
  expect(await second.get('k'), undefined);
  expect(await second.clear(), true);
  expect(await second.get('slow'), undefined);
  await cache.disconnect();
  await second.disconnect();
}

const kept = await values();
await tiers();
execFileSync('redis-cli', ['-h', HOST, '-p', PORT, 'shutdown', 'save']);
while ((await kept.get('b').catch(() => undefined)) === undefined) await nextTurn();
expect(await kept.get('b'), 'another b');
await kept.disconnect();
