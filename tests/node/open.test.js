// Opening an identity: what it is, what is checked, which error comes of what.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { once } = require('node:events');
const { readFileSync, statSync } = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { HsmtlsError, open, tokens } = require('hsmtls');

const { awake, chaos, file, makeFolder, read, uri } = require('./support/device');

const fails = (code, more = {}) => ({ name: 'HsmtlsError', code: `ERR_HSMTLS_${code}`, ...more });

describe('an identity', () => {
  for (const [name, keyType, keyBits, keyName] of [
    ['ec', 'ec', 256, 'EC P-256'],
    ['rsa', 'rsa', 2048, 'RSA 2048'],
  ]) {
    test(`of the ${keyType} key tells what it is`, async () => {
      await withDevice(open(uri(name)), (device) => {
        const { keyUri, properties, ...info } = device.info;
        assert.deepStrictEqual(info, { keyType, keyBits, keyName, numCertificates: 2 });
        assert.match(keyUri, new RegExp(`^pkcs11:token=edge;serial=[0-9a-f]+;object=${name};id=%0[12];type=private$`));
        assert.deepStrictEqual(properties, {
          local: true,
          alwaysSensitive: true,
          neverExtractable: true,
          alwaysAuthenticate: false,
        });
        assert.match(device.key, /^-----BEGIN PKCS#11 PROVIDER URI-----\n/);
        assert.strictEqual(device.cert, read(`${name}-chain.pem`));
        assert.strictEqual(device.lastError, null);
      });
    });
  }

  test('takes its certificate from the token, a file, PEM text or a URI', async () => {
    const chain = read('ec-chain.pem');
    for (const [certificate, expected] of [
      [undefined, chain],
      [file('ec-chain.pem'), chain],
      [chain, chain],
      [read('ec.pem'), read('ec.pem')],
      [`${uri('ec')};type=cert`, chain],
    ]) {
      await withDevice(open(uri('ec'), { certificate }), (device) => assert.strictEqual(device.cert, expected));
    }
  });

  test('can be opened without a certificate', async () => {
    await withDevice(open(uri('ec'), { withoutCertificate: true }), (device) => {
      assert.strictEqual(device.cert, '');
      assert.strictEqual(device.info.numCertificates, 0);
    });
  });

  test('writes its files for SDKs that take nothing else', async () => {
    const folder = makeFolder();
    await withDevice(open(uri('ec')), async (device) => {
      await device.writeFiles(folder);
      assert.strictEqual(readFileSync(path.join(folder, 'certificate.pem'), 'utf8'), device.cert);
      assert.strictEqual(readFileSync(path.join(folder, 'key.pem'), 'utf8'), device.key);
      assert(statSync(path.join(folder, 'key.pem')).isFile());
      await assert.rejects(
        device.writeFiles(path.join(folder, 'nowhere')),
        fails('FILE_UNREADABLE', { category: 'config' }),
      );
      await assert.rejects(device.writeFiles(7), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    });
  });

  test('tells of a loss, its end, and each signature', async () => {
    await withDevice(open(uri('ec')), async (device) => {
      const told = [];
      for (const name of ['lost', 'restored', 'signed']) device.on(name, (event) => told.push([name, event]));
      const done = Promise.all([once(device, 'restored'), once(device, 'signed')]);
      const before = device.counters;
      chaos('drop-sessions');
      crypto.sign('sha256', Buffer.from('data'), device.key);
      await awake(done);
      assert.deepStrictEqual(told.map(([name]) => name).sort(), ['lost', 'restored', 'signed']);
      const [[, lost], [, restored], [, signed]] = told.sort(([a], [b]) => (a < b ? -1 : 1));
      assert.strictEqual(lost, undefined);
      assert(restored.took > 0 && restored.took < 2000);
      assert.strictEqual(signed.mechanism, 'ecdsa');
      assert(signed.took >= restored.took);
      const { lost: losses, signatures, failedSignatures } = device.counters;
      assert.deepStrictEqual([losses - before.lost, signatures - before.signatures, failedSignatures], [1, 1, 0]);
    });
  });

  test('signs no more once it is closed, and says why; its strings resolve no more', async () => {
    const device = await open(uri('ec'));
    const key = crypto.createPrivateKey(device.key);
    device.close();
    device.close();
    assert.throws(() => crypto.sign('sha256', Buffer.from('data'), key), /identity was closed/);
    assert.throws(() => crypto.createPrivateKey(device.key), { code: 'ERR_OSSL_UNSUPPORTED' });
    assert.throws(() => device.counters, fails('IDENTITY_CLOSED'));
    assert.strictEqual(device.info.keyType, 'ec');
    await device[Symbol.asyncDispose]();
    device[Symbol.dispose]();
  });

  test('says what went wrong last, which TLS does not', async () => {
    await withDevice(open(uri('ec'), { deadline: 100 }), (device) => {
      chaos('fail C_Sign * CKR_FUNCTION_REJECTED');
      assert.throws(() => crypto.sign('sha256', Buffer.from('data'), device.key), { name: 'Error' });
      chaos('clear');
      const { lastError } = device;
      assert(lastError instanceof HsmtlsError);
      assert.strictEqual(lastError.code, 'ERR_HSMTLS_TOKEN_ERROR');
      assert.strictEqual(lastError.ckr, 'CKR_FUNCTION_REJECTED');
      assert(device.counters.failedSignatures >= 1);
    });
  });
});

describe('a PIN', () => {
  test('is a string, a Buffer that may be wiped at once, or in a file', async () => {
    await withDevice(open(uri('ec'), { pin: '1234' }));
    const pin = Buffer.from('1234');
    const opening = open(uri('ec'), { pin });
    pin.fill(0);
    await withDevice(opening);
    await withDevice(open(uri('ec'), { pinSource: `file:${file('pin')}` }));
    await withDevice(open(`${uri('ec')}?pin-source=file:${file('pin')}`));
  });

  test('comes from a function, which is asked for the token by its label, once', async () => {
    for (const give of [() => '1234', () => Buffer.from('1234'), async () => '1234']) {
      const asked = [];
      await withDevice(
        open(uri('ec'), {
          pin: (label) => {
            asked.push(label);
            return give();
          },
        }),
      );
      assert.deepStrictEqual(asked, ['edge']);
    }
  });

  test('may take longer than the deadline to be typed', async () => {
    const slowly = () =>
      new Promise((resolve) => {
        setTimeout(resolve, 400, '1234');
      });
    await withDevice(open(uri('ec'), { pin: slowly, deadline: 300 }));
  });

  test('from a function may open other identities meanwhile', async () => {
    const nested = async () => {
      await withDevice(open(uri('rsa'), { pin: '1234' }));
      return '1234';
    };
    await withDevice(open(uri('ec'), { pin: nested }));
  });

  test('is not asked for where the URI says where it is', async () => {
    await withDevice(open(`${uri('ec')}?pin-source=file:${file('pin')}`, { pin: () => assert.fail('was asked') }));
  });

  test('that is empty is none', async () => {
    await assert.rejects(open(uri('ec'), { pin: '' }), fails('PIN_REQUIRED', { category: 'token' }));
    await assert.rejects(open(uri('ec'), { pin: () => '' }), fails('PIN_REQUIRED'));
  });

  test('is nowhere in the error about it, and what the function throws comes through', async () => {
    await assert.rejects(open(uri('ec'), { pin: '87654321' }), (problem) => {
      assert.strictEqual(problem.code, 'ERR_HSMTLS_PIN_INCORRECT');
      assert.strictEqual(problem.category, 'token');
      assert.strictEqual(problem.ckr, 'CKR_PIN_INCORRECT');
      assert(!JSON.stringify([problem, problem.message, problem.stack]).includes('87654321'));
      return true;
    });
    const problem = new Error('nobody there');
    await assert.rejects(
      open(uri('ec'), {
        pin: () => {
          throw problem;
        },
      }),
      problem,
    );
    await assert.rejects(
      open(uri('ec'), {
        pin: async () => {
          throw problem;
        },
      }),
      problem,
    );
    for (const give of [() => 1234, () => undefined, async () => null]) {
      await assert.rejects(open(uri('ec'), { pin: give }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('opening fails, and says what to do, where', () => {
  const certificate = file('server.pem');
  const ec = file('ec.pem');
  const cases = [
    ['the URI is malformed', 'nonsense', {}, 'MALFORMED_URI', /pkcs11:/],
    ['no token fits', 'pkcs11:token=edgy', {}, 'TOKEN_NOT_FOUND', /did you mean 'edge'\?/],
    ['no key fits', uri('rs'), {}, 'KEY_NOT_FOUND', /did you mean 'rsa'\?/],
    ['several keys fit', 'pkcs11:token=edge', {}, 'AMBIGUOUS', / 'ec' .*'rsa' | 'rsa' .*'ec' /],
    ['the module is not there', uri('ec'), { module: '/nowhere.so' }, 'MODULE_UNUSABLE', /\/nowhere\.so/],
    ['the PIN source is not there', uri('ec'), { pinSource: 'file:/nowhere' }, 'PIN_SOURCE', /\/nowhere/],
    ['the certificate is not there', uri('ec'), { certificate: '/nowhere' }, 'FILE_UNREADABLE', /\/nowhere/],
    [
      'the certificate is for another key',
      uri('ec'),
      { certificate },
      'CERTIFICATE_MISMATCH',
      /another key: 'CN=localhost'/,
    ],
    // OpenSSL has a slot for each type, so that Node itself would take an EC certificate beside an RSA key.
    ['an EC certificate comes with an RSA key', uri('rsa'), { certificate: ec }, 'CERTIFICATE_MISMATCH', /device-ec/],
    ['the key lacks what is required', uri('ec'), { require: { alwaysAuthenticate: true } }, 'KEY_POLICY', /CKA_/],
  ];
  for (const [when, key, options, code, message] of cases) {
    test(when, async () => {
      await assert.rejects(open(key, options), fails(code, { message }));
    });
  }

  test('an option is misspelt or of another type', async () => {
    const wrong = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    await assert.rejects(open(7), wrong);
    await assert.rejects(open(uri('ec'), null), wrong);
    for (const options of [
      { certficate: 'x' },
      { certificate: 7 },
      { pin: 1234 },
      { deadline: -1 },
      { deadline: '1' },
      { deadline: NaN },
      { require: { neverExtractible: true } },
      { require: { local: 1 } },
      { signal: {} },
      { module: null },
    ]) {
      await assert.rejects(open(uri('ec'), options), wrong, JSON.stringify(options));
    }
    await assert.rejects(open('pkcs11:token=edge\0;object=ec'), { name: 'TypeError', message: /NUL/ });
  });

  test('and the stack says where', async () => {
    async function here() {
      await open('pkcs11:token=edgy');
    }
    await assert.rejects(here(), ({ stack }) => /at async here .*open\.test\.js/.test(stack));
  });
});

describe('an AbortSignal', () => {
  test('ends opening with its reason, before it began and while it lasts', async () => {
    await assert.rejects(open(uri('ec'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
    const controller = new AbortController();
    const opening = open(uri('ec'), { signal: controller.signal, pin: () => new Promise(() => {}) });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    await assert.rejects(opening, reason);
  });

  test('has nothing to say to what is open', async () => {
    const controller = new AbortController();
    await withDevice(open(uri('ec'), { signal: controller.signal }), (device) => {
      controller.abort();
      crypto.sign('sha256', Buffer.from('data'), device.key);
    });
  });
});

test('tokens are listed, initialised or not', async () => {
  const found = await tokens();
  const edge = found.find(({ label }) => label === 'edge');
  assert.match(edge.uri, /^pkcs11:token=edge;serial=[0-9a-f]+$/);
  assert.strictEqual(edge.manufacturer, 'SoftHSM project');
  assert.strictEqual(edge.module, process.env.HSMTLS_MODULE);
  assert(found.some(({ uri: slot }) => /^pkcs11:slot-id=\d+$/.test(slot)));
  assert.deepStrictEqual(await tokens({ module: process.env.HSMTLS_MODULE }), found);
  await assert.rejects(tokens({ module: '/nowhere.so' }), fails('MODULE_UNUSABLE'));
  await assert.rejects(tokens({ module: 7 }), { name: 'TypeError' });
  await assert.rejects(tokens({ modul: '/nowhere.so' }), { code: 'ERR_INVALID_ARG_TYPE', message: /has no 'modul'/ });
  await assert.rejects(tokens(null), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('an identity goes on when nobody refers to it: SDKs keep its strings alone', async () => {
  const { key } = await open(uri('rsa'));
  for (let i = 0; i < 20; i += 1)
    await new Promise((resolve) => {
      setImmediate(resolve, Buffer.alloc(1 << 20));
    });
  globalThis.gc?.();
  assert(crypto.sign('sha256', Buffer.from('data'), key).length === 256);
});

/** Node 20 does not know `await using`. */
async function withDevice(opening, use = () => {}) {
  const device = await opening;
  try {
    await use(device);
  } finally {
    device.close();
  }
}
