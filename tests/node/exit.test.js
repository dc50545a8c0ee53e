// How programs end that have used a token: by themselves, and with status 0.
'use strict';

const assert = require('node:assert');
const { describe, test } = require('node:test');

const { runScript } = require('./support/run');

async function endsWell(script, options) {
  const { status, signal, output } = await runScript(script, options);
  assert.deepStrictEqual({ status, signal }, { status: 0, signal: null }, output);
  return output;
}

const sign = "require('node:crypto').sign('sha256', Buffer.from('data'), device.key)";
const signLater = "require('node:crypto').sign('sha256', Buffer.from('data'), device.key, () => console.log('signed'))";

describe('a program ends with status 0', () => {
  test('after it has signed, with the identity open and somebody listening', async () => {
    assert.match(
      await endsWell(`
      device.on('signed', () => console.log('told'));
      ${sign};
      await new Promise(setImmediate);`),
      /told/,
    );
  });

  test('after it has closed the identity', () => endsWell(`${sign}; device.close();`));

  test('when nobody waits for what was opened', () =>
    endsWell("hsmtls.open('pkcs11:token=edge;object=rsa'); hsmtls.tokens();"));

  test('when process.exit comes while identities are opened and keys sign', async () => {
    for (let times = 0; times < 5; times += 1) {
      await endsWell(`
        for (let i = 0; i < 4; i += 1) { ${signLater}; hsmtls.open('pkcs11:token=edge;object=rsa'); }
        setTimeout(() => process.exit(0), ${times});`);
    }
  });

  test('when process.exit comes in the middle of a slow signature', () =>
    endsWell(`${signLater}; setTimeout(() => process.exit(0), 50);`, {
      env: { ...process.env, HSMTLS_CHAOS: 'delay C_Sign 300ms' },
    }));
});

test('what a listener throws is an uncaught exception, as of every emitter', async () => {
  const { status, output } = await runScript(`
    device.on('signed', () => { throw new Error('by the listener'); });
    ${sign};
    setTimeout(() => console.log('went on'), 5000);`);
  assert.strictEqual(status, 1, output);
  assert.match(output, /Error: by the listener/);
  assert.doesNotMatch(output, /went on/);
});

test('a rejection that nobody handles says what to do', async () => {
  const { status, output } = await runScript(
    "Promise.reject(await hsmtls.open('pkcs11:token=edgy').catch((problem) => problem));",
  );
  assert.strictEqual(status, 1);
  assert.match(output, /did you mean 'edge'\?[^]*code: 'ERR_HSMTLS_TOKEN_NOT_FOUND',\s+category: 'token'/);
});
