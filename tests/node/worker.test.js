// Workers: environments that load the addon and go away again.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { dropSessions, uri } = require('./support/device');
const { runScript } = require('./support/run');

const data = Buffer.from('data');

/** A Worker that opens an identity as `device` and then does something. */
function work(script) {
  return new Worker(
    `
    const { parentPort } = require('node:worker_threads');
    const { open } = require('hsmtls');
    open('${uri('ec')}').then(async (device) => { ${script} });`,
    { eval: true },
  );
}

const signForEver = `
  device.on('signed', () => {});
  parentPort.postMessage(device.key);
  (function sign() {
    require('node:crypto').sign('sha256', Buffer.from('data'), device.key, sign);
    require('node:crypto').sign('sha256', Buffer.from('data'), device.key);
  })();`;

test('six Workers open, sign and end side by side', async () => {
  const workers = Array.from({ length: 6 }, () =>
    work("require('node:crypto').sign('sha256', Buffer.from('data'), device.key);"),
  );
  for (const [status] of await Promise.all(workers.map((worker) => once(worker, 'exit'))))
    assert.strictEqual(status, 0);
});

test("a Worker's identity signs in every thread until the Worker ends, and is closed then", async () => {
  const worker = work('parentPort.postMessage(device.key); parentPort.once("message", () => process.exit(0));');
  const [pem] = await once(worker, 'message');
  const key = crypto.createPrivateKey(pem);
  assert(crypto.sign('sha256', data, key).length > 0);
  dropSessions();
  assert(crypto.sign('sha256', data, key).length > 0);
  worker.postMessage('end');
  await once(worker, 'exit');
  assert.throws(() => crypto.sign('sha256', data, key), /identity was closed/);
  assert.throws(() => crypto.createPrivateKey(pem), { code: 'ERR_OSSL_UNSUPPORTED' });
});

test('Workers are terminated while their keys sign and events fly', async () => {
  for (let times = 0; times < 10; times += 1) {
    const worker = work(signForEver);
    await once(worker, 'message');
    await new Promise((resolve) => {
      setTimeout(resolve, times);
    });
    await worker.terminate();
  }
});

test('Workers are terminated while they open, and while a PIN is waited for', async () => {
  for (let times = 0; times < 10; times += 1) {
    const worker = new Worker(
      `
      const { parentPort } = require('node:worker_threads');
      const { open } = require('hsmtls');
      open('${uri('ec')}');
      open('${uri('rsa')}', { pin: () => new Promise(() => {}) });
      parentPort.postMessage('opening');`,
      { eval: true },
    );
    await once(worker, 'message');
    await new Promise((resolve) => {
      setTimeout(resolve, times);
    });
    await worker.terminate();
  }
});

// Node unloads an addon that only a Worker had; the provider must stay, for OpenSSL goes on asking it for every key.
test('keys are loaded and handshakes made after the only Worker that had the package has ended', async () => {
  const { status, signal, output } = await runScript(`
    device.close();
    const { Worker } = require('node:worker_threads');
    const worker = new Worker("require('hsmtls').open('${uri('ec')}')", { eval: true });
    await require('node:events').once(worker, 'exit');
    const crypto = require('node:crypto');
    const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    crypto.createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    require('node:tls').createSecureContext();
    console.log(require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('hsmtls.node'));`);
  assert.deepStrictEqual({ status, signal }, { status: 0, signal: null }, output);
  assert.match(output, /^true$/m);
});
