#!/usr/bin/env node
// node-redis with a cache of its own: the server tells it which of its keys have changed
// (CLIENT TRACKING over RESP3).
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { BasicClientSideCache, createClient } from 'redis';

const { HOST, PORT } = process.env;
const expect = assert.deepEqual;
const socket = { host: HOST, port: Number(PORT) };
const nextTurn = () => new Promise(setImmediate);

const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0 });
const r = await createClient({ socket, RESP: 3, clientSideCache: cache }).connect();
const other = await createClient({ socket }).connect();

async function becomes(key, value) {
  const until = Date.now() + 30_000;
  while ((await r.get(key)) !== value) {
    assert(Date.now() < until, `${key} stays ${await r.get(key)}`);
    await nextTurn();
  }
}

await other.mSet({ price: '1', name: 'apple' });
expect([await r.get('price'), await r.get('name')], ['1', 'apple']);
for (let i = 0; i < 100; i++) expect(await r.get('price'), '1');
expect([cache.stats().hitCount, cache.stats().missCount], [100, 2]);

await other.set('price', '2');
await becomes('price', '2');
await other.del('name');
await becomes('name', null);
await other.set('price', '3', { expiration: { type: 'PX', value: 40 } });
await becomes('price', '3');
await becomes('price', null);
await other.set('price', '4');
await becomes('price', '4');
await other.flushAll();
await becomes('price', null);
await r.set('price', '5');
expect(await r.get('price'), '5');

await other.close();
await r.close();
