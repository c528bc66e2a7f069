#!/usr/bin/env node
// connect-redis: the sessions of an Express site, its visitors, deadlines, and sessions that
// outlive the server.
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const { HOST, PORT } = process.env;
const expect = assert.deepEqual;
const ready = (client) => new Promise((resolve) => client.once('ready', resolve));

const socket = { host: HOST, port: Number(PORT), reconnectStrategy: () => 20 };
const client = createClient({ socket });
client.on('error', () => {});
await client.connect();
const store = new RedisStore({ client, prefix: 'site:', ttl: 500 });

const site = express();
site.use(session({ store, secret: 'x', resave: false, saveUninitialized: false }));
site.get('/', (request, response) => {
  request.session.visits = (request.session.visits ?? 0) + 1;
  response.json({ visits: request.session.visits });
});
site.get('/look', (request, response) => response.json({ visits: request.session.visits }));
site.get('/leave', (request, response, next) =>
  request.session.destroy((error) => (error ? next(error) : response.json({}))));
const listening = site.listen(0, '127.0.0.1');
await once(listening, 'listening');

class Visitor {
  cookie = '';
  async ask(path = '/') {
    const { port } = listening.address();
    const headers = { cookie: this.cookie };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    this.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? this.cookie;
    expect(response.status, 200);
    return response.json();
  }
  get id() {
    return decodeURIComponent(this.cookie).replace(/^connect.sid=s:([^.]*).*$/, '$1');
  }
  get key() {
    return `site:${this.id}`;
  }
}

const [first, second] = [new Visitor(), new Visitor()];
for (const visits of [1, 2, 3]) expect(await first.ask(), { visits });
expect(await second.ask(), { visits: 1 });
expect(JSON.parse(await client.get(first.key)).visits, 3);
const ttl = await client.ttl(first.key);
assert(ttl > 490 && ttl <= 500, `ttl ${ttl}`);

await client.expire(first.key, 50); // a visit that only looks touches the deadline
expect(await first.ask('/look'), { visits: 3 });
assert((await client.ttl(first.key)) > 490);

expect(await store.length(), 2);
expect((await store.ids()).sort(), [first.id, second.id].sort());
expect((await store.all()).map((s) => s.visits).sort(), [1, 3]);

const back = ready(client);
execFileSync('redis-cli', ['-h', HOST, '-p', PORT, 'shutdown', 'save']);
await back;
expect(await first.ask(), { visits: 4 });

await second.ask('/leave');
expect(await client.exists(second.key), 0);
expect(await second.ask('/look'), {});
await store.clear();
expect(await first.ask(), { visits: 1 });

listening.closeAllConnections();
listening.close();
await client.close();
