// A PEM is untrusted input; and what node:crypto makes of one that is ours.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { after, before, describe, test } = require('node:test');
const tls = require('node:tls');

const { open } = require('hsmtls');

const { countCalls, file, uri } = require('./support/device');
const { runScript } = require('./support/run');

const data = Buffer.from('data');
const devices = {};
before(async () => {
  devices.ec = await open(uri('ec'));
});
after(() => Object.values(devices).forEach((device) => device.close()));

/** How many PKCS#11 calls there were in `use`. */
function callsOf(use) {
  const sign = () => crypto.sign('sha256', data, devices.ec.key);
  const one = countCalls(sign);
  const two = countCalls(sign);
  use();
  return countCalls(sign) - two - (two - one);
}

/** A reference PEM, which may say what hsmtls would never write. */
function reference(to) {
  const element = (tag, content) => {
    const bytes = Buffer.from(content);
    assert(bytes.length < 256);
    return Buffer.concat([Buffer.from(bytes.length < 128 ? [tag, bytes.length] : [tag, 0x81, bytes.length]), bytes]);
  };
  const der = element(0x30, Buffer.concat([element(0x1a, 'PKCS#11 Provider URI v1.0'), element(0x0c, to)]));
  const lines = der
    .toString('base64')
    .match(/.{1,64}/g)
    .join('\n');
  return `-----BEGIN PKCS#11 PROVIDER URI-----\n${lines}\n-----END PKCS#11 PROVIDER URI-----\n`;
}

describe("a stranger's PEM resolves to nothing, and costs no PKCS#11 call", () => {
  for (const [what, pem] of [
    ['that names a key which is in the token, but not open', reference(uri('rsa'))],
    ['that names a token of nobody', reference('pkcs11:token=stranger')],
    ['that names a module', reference(`${uri('ec')}?module-path=/tmp/evil.so`)],
    ['that has a PIN', reference(`${uri('ec')}?pin-value=1234`)],
    ['that says where a PIN is', reference(`${uri('ec')}?pin-source=file:${file('pin')}`)],
    ['that is cut', reference(uri('ec')).replace(/=/, '')],
  ]) {
    test(what, () => {
      assert.strictEqual(
        callsOf(() => {
          for (const use of [
            () => crypto.createPrivateKey(pem),
            () => crypto.createPublicKey(pem),
            () => crypto.sign('sha256', data, pem),
            () => crypto.verify('sha256', data, pem, data),
            () => crypto.publicEncrypt(pem, data),
            () => tls.createSecureContext({ key: pem }),
          ]) {
            assert.throws(use, Error);
          }
        }),
        0,
      );
    });
  }

  test('unlike one that names, in other words, a key which is open', () => {
    assert(crypto.createPrivateKey(reference(uri('ec'))).equals(crypto.createPrivateKey(devices.ec.key)));
  });
});

describe('software keys of the same process', () => {
  test('are made, read, used and written as ever, without a PKCS#11 call', () => {
    assert.strictEqual(
      callsOf(() => {
        for (const [type, options] of [
          ['ec', { namedCurve: 'P-256' }],
          ['rsa', { modulusLength: 2048 }],
          ['ed25519', {}],
        ]) {
          const { privateKey, publicKey } = crypto.generateKeyPairSync(type, options);
          const read = crypto.createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
          const digest = type === 'ed25519' ? null : 'sha256';
          assert(crypto.verify(digest, data, publicKey, crypto.sign(digest, data, read)));
          assert.strictEqual(read.asymmetricKeyType, type);
          assert(read.export({ format: 'jwk' }).d);
        }
      }),
      0,
    );
  });
});

for (const name of ['ec', 'rsa']) {
  describe(`a KeyObject of the ${name} key`, () => {
    let key;
    let publicKey;
    before(async () => {
      devices[name] ??= await open(uri(name));
      key = crypto.createPrivateKey(devices[name].key);
      publicKey = new crypto.X509Certificate(devices[name].cert).publicKey;
    });

    test('signs in every way that its type has', async () => {
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX_SIGN } = crypto.constants;
      const ways =
        name === 'ec'
          ? [{}, { dsaEncoding: 'ieee-p1363' }]
          : [
              {},
              { padding, saltLength: RSA_PSS_SALTLEN_DIGEST },
              { padding, saltLength: RSA_PSS_SALTLEN_MAX_SIGN },
              { padding, saltLength: 20 },
            ];
      for (const how of ways) {
        for (const digest of ['sha256', 'sha384', 'sha512']) {
          assert(crypto.verify(digest, data, { key: publicKey, ...how }, crypto.sign(digest, data, { key, ...how })));
          assert(
            crypto.verify(
              digest,
              data,
              { key: publicKey, ...how },
              crypto
                .createSign(digest)
                .update(data)
                .sign({ key, ...how }),
            ),
          );
        }
        const later = await new Promise((resolve, reject) => {
          crypto.sign('sha256', data, { key, ...how }, (problem, signature) =>
            problem ? reject(problem) : resolve(signature),
          );
        });
        assert(crypto.verify('sha256', data, { key: publicKey, ...how }, later));
      }
    });

    // Node up to 22 looks at keys in a way that finds none in a provider's, and crashes: docs/adr/0010.
    test('tells what it is, and shows its public half', () => {
      assert.strictEqual(key.asymmetricKeyType, name);
      assert.deepStrictEqual(
        key.asymmetricKeyDetails,
        name === 'ec' ? { namedCurve: 'prime256v1' } : { modulusLength: 2048, publicExponent: 65537n },
      );
      assert.deepStrictEqual(
        crypto.createPublicKey(key).export({ format: 'jwk' }),
        publicKey.export({ format: 'jwk' }),
      );
      assert(new crypto.X509Certificate(devices[name].cert).checkPrivateKey(key));
    });

    test('gives its private half to nobody', () => {
      const types = name === 'ec' ? ['pkcs8', 'sec1'] : ['pkcs8', 'pkcs1'];
      for (const type of types) {
        for (const format of ['pem', 'der'])
          assert.throws(() => key.export({ type, format }), Error, `${type} ${format}`);
      }
      assert.throws(() => key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }), Error);
    });

    test('does nothing but sign', () => {
      if (name === 'ec') {
        const other = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
        assert.throws(() => crypto.diffieHellman({ privateKey: key, publicKey: other }), Error);
      } else {
        assert.throws(() => crypto.privateDecrypt(key, crypto.publicEncrypt(publicKey, data)), Error);
      }
    });
  });
}

// Node 20 and 22 take a private half for granted here (CHECK_NOT_NULL), 24 throws. Nobody gets a key either way.
test('exporting a private key as JWK ends old versions of Node with SIGABRT', async () => {
  const { status, signal, output } = await runScript(`
    const key = require('node:crypto').createPrivateKey(device.key);
    try {
      console.log('got', key.export({ format: 'jwk' }));
    } catch (problem) {
      console.log('refused', problem.code);
    }`);
  assert(!output.includes('got'), output);
  if (signal === 'SIGABRT') {
    assert(Number(process.versions.node.split('.')[0]) < 24, output);
  } else {
    assert.strictEqual(status, 0, output);
    assert.match(output, /^refused ERR_/);
  }
});
