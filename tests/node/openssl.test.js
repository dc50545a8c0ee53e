// Which OpenSSL Node has, and how it is configured.
'use strict';

const assert = require('node:assert');
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { makeFolder } = require('./support/device');
const { runScript } = require('./support/run');

function configuration(text) {
  const file = path.join(makeFolder(), 'openssl.cnf');
  writeFileSync(file, text);
  return file;
}

const properties = (value) =>
  configuration(
    `nodejs_conf = init\nopenssl_conf = init\n[init]\nalg_section = algorithms\n[algorithms]\ndefault_properties = ${value}\n`,
  );

const providers = configuration(
  'nodejs_conf = init\nopenssl_conf = init\n[init]\nproviders = list\n[list]\ndefault = on\nlegacy = on\n[on]\nactivate = 1\n',
);

const use = `
  require('node:tls').createSecureContext({ key: device.key, cert: device.cert });
  require('node:crypto').sign('sha256', Buffer.from('data'), device.key);
  require('node:crypto').generateKeyPairSync('rsa', { modulusLength: 2048 });
  console.log('fine');`;

describe('a key in a token works', () => {
  for (const [how, flags] of [
    ['as Node comes', []],
    ['with --openssl-shared-config', ['--openssl-shared-config']],
    ['with --openssl-config that activates providers', [`--openssl-config=${providers}`]],
    ['with --openssl-legacy-provider', ['--openssl-legacy-provider']],
    ['with default properties that are a wish', [`--openssl-config=${properties('?provider=default')}`]],
  ]) {
    test(how, async () => {
      const { status, output } = await runScript(use, { flags });
      assert.strictEqual(status, 0, output);
      assert.match(output, /^fine$/m);
    });
  }
});

// TLS would go on without a word, and send no certificate.
test('mandatory default properties, which hide the key, are found when it is opened', async () => {
  const { status, output } = await runScript(use, { flags: [`--openssl-config=${properties('provider=default')}`] });
  assert.strictEqual(status, 1, output);
  assert.match(output, /code: 'ERR_HSMTLS_OPENSSL_UNUSABLE'/);
  assert.match(output, /default_properties = \?fips=yes/);
});

test("comes behind OpenSSL's own provider, whose algorithms stay as they are", async () => {
  const { status, output } = await runScript(`
    const crypto = require('node:crypto');
    const before = [crypto.getHashes(), crypto.getCiphers(), crypto.getCurves()];
    await hsmtls.open('pkcs11:token=edge;object=rsa');
    require('node:assert').deepStrictEqual([crypto.getHashes(), crypto.getCiphers(), crypto.getCurves()], before);
    crypto.createPrivateKey(crypto.generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));`);
  assert.strictEqual(status, 0, output);
});

test("uses Node's own copy: the addon and its libraries are linked with none", async () => {
  const { status, output } = await runScript(`
    const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8');
    console.log(maps.split('\\n').filter((line) => /lib(ssl|crypto)/.test(line)).map((line) => line.split(' ').at(-1)).join('\\n'));
    console.log(process.config.variables.node_shared_openssl);`);
  assert.strictEqual(status, 0, output);
  // SoftHSM brings libcrypto for itself; nobody brings libssl where it is part of node.
  if (/^false$/m.test(output)) assert.doesNotMatch(output, /libssl/);
});
