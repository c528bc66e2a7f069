#!/usr/bin/env node
// redis-commander in a real browser: the keys of two numbered stores as a tree, a value as it is
// shown, changed and deleted there, and its command line. With SCREENSHOT=file the picture stays.
// SPDX-License-Identifier: BSD-3-Clause
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import puppeteer from 'puppeteer-core';

const { HOST, PORT, TMPDIR, SCREENSHOT = `${TMPDIR}/picture.png` } = process.env;
const PROGRAM = 'node_modules/redis-commander/bin/redis-commander.js';
const CHROMIUM_WORDS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage'];

function cli(...words) {
  return execFileSync('redis-cli', ['-h', HOST, '-p', PORT, ...words], { encoding: 'utf8' }).trim();
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startCommander() {
  const port = await freePort();
  const connections = [0, 3].map((number) => (
    { label: `shop ${number}`, host: HOST, port: PORT, dbIndex: number }));
  const words = ['--nosave', '--address', '127.0.0.1', '--port', port];
  const commander = spawn(new URL(PROGRAM, import.meta.url).pathname, words, {
    env: { ...process.env, NODE_CONFIG: JSON.stringify({ connections }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  await new Promise((resolve) => {
    commander.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes('access with browser')) resolve();
    });
  });
  return [commander, `http://127.0.0.1:${port}/`];
}

cli('set', 'greeting', 'hello');
cli('mset', 'user:1', 'Ada', 'user:2', 'Grace', 'user:3', 'Barbara');
cli('set', 'user:4', 'Karen', 'ex', '1000');
cli('-n', '3', 'set', 'elsewhere', '3');

async function until(isTrue) {
  for (let i = 0; i < 300; i++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`never true: ${isTrue}`);
}

const [commander, address] = await startCommander();
const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium',
  args: CHROMIUM_WORDS,
  pipe: true, // it ends with us, however that is
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1200, height: 800 });
  page.setDefaultTimeout(30_000);
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(address);

  /* Does something with the first element of this kind that shows the text, once there is one. */
  const find = (kind, text, act = '') => page.waitForFunction((kind, text, act) => {
    const words = (e) => e.innerText.replace(/\s+/g, ' ').trim();
    const found = [...document.querySelectorAll(kind)].find((e) => words(e).startsWith(text));
    if (found && act) found[act]();
    return found && true;
  }, {}, kind, text, act);
  const click = (kind, text) => find(kind, text, 'click');
  const open = (node) => click(`#keyTree li.jstree-closed[id$="${node}"] > .jstree-ocl`, '');

  await click('#keyTree a', 'greeting');
  await find('#itemData label', 'Key: greeting');
  await find('#itemData label', 'TTL: -1');
  await page.waitForFunction(() => document.querySelector('#stringValue')?.value === 'hello');
  await page.$eval('#stringValue', (box) => { box.value = 'goodbye'; });
  await click('#saveKeyButton', 'Save');
  await until(() => cli('get', 'greeting') === 'goodbye');

  await find('#keyTree a', 'user:* (4)');
  await open(':user:');
  await click('#keyTree a[id$=":user:4_anchor"]', '4');
  await find('#itemData label', 'Key: user:4');
  await find('#itemData label', 'TTL: 9');
  await click('#itemActionsBar button', 'Delete Key');
  await until(() => cli('exists', 'user:4') === '0');

  await open(`:${PORT}:3`);
  await click('#keyTree a', 'elsewhere');
  await find('#itemData label', 'Key: elsewhere');
  await find('#itemData label', 'Type: string');

  await page.type('#_readline_cliForm input', 'incr visits\n');
  await until(() => cli('get', 'visits') === '1');
  await find('#keyTree a', 'visits');
  await click('#keyTree a', 'greeting');
  await page.waitForFunction(() => document.querySelector('#stringValue')?.value === 'goodbye');
} finally {
  const page = (await browser.pages()).at(-1);
  await page.screenshot({ path: SCREENSHOT });
  await browser.close();
  commander.kill();
}
