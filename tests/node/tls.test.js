// Node's own tls and https, as client and as server, with a key in a token.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const https = require('node:https');
const { after, before, describe, test } = require('node:test');
const tls = require('node:tls');

const { open } = require('hsmtls');

const { chaos, dropSessions, peer, read, uri } = require('./support/device');
const { handshake } = require('./support/handshake');

const ca = read('ca.pem');
const versions = ['TLSv1.2', 'TLSv1.3'];
const only = (version) => ({ minVersion: version, maxVersion: version });

for (const name of ['ec', 'rsa']) {
  describe(`the ${name} key in the token`, () => {
    let device;
    before(async () => {
      device = await open(uri(name));
    });
    after(() => device.close());
    const credentials = () => ({ cert: device.cert, key: device.key, ca });

    for (const version of versions) {
      test(`is a client's by ${version}, with its chain, to a server that trusts the root alone`, async () => {
        const { client, server } = await handshake(peer, { ...credentials(), ...only(version) });
        assert.deepStrictEqual(client.value, { peer: 'localhost', distrust: null, protocol: version });
        assert.deepStrictEqual(server.value, { peer: `device-${name}`, distrust: null, protocol: version });
      });

      test(`is a server's by ${version}`, async () => {
        const client = { ca, key: peer.key, cert: peer.cert, servername: `device-${name}`, ...only(version) };
        const seen = await handshake({ ...credentials(), requestCert: true }, client);
        assert.deepStrictEqual(seen.client.value, { peer: `device-${name}`, distrust: null, protocol: version });
        assert.deepStrictEqual(seen.server.value, { peer: 'localhost', distrust: null, protocol: version });
      });

      test(`signs by ${version} again after the token dropped its sessions, twice`, async () => {
        const context = tls.createSecureContext(credentials());
        for (let loss = 0; loss < 2; loss += 1) {
          const { lost } = device.counters;
          dropSessions();
          const { client, server } = await handshake(peer, { secureContext: context, ...only(version) });
          assert.deepStrictEqual([client.status, server.status], ['fulfilled', 'fulfilled']);
          assert.strictEqual(device.counters.lost, lost + 1);
        }
      });

      test(`that cannot sign ends the handshake by ${version} on both sides, and lastError says why`, async () => {
        chaos('fail C_Sign * CKR_FUNCTION_REJECTED');
        const { client, server } = await handshake(peer, { ...credentials(), ...only(version) });
        chaos('clear');
        assert.deepStrictEqual([client.status, server.status], ['rejected', 'rejected']);
        assert.match(client.reason.message, /hsmtls-inproc::.*cannot sign with the key .*\(CKR_FUNCTION_REJECTED\)/);
        assert.strictEqual(server.reason.code, 'ECONNRESET');
        assert.strictEqual(device.lastError.ckr, 'CKR_FUNCTION_REJECTED');
      });
    }

    test('is one that https.Agent takes, and keeps through a loss', async () => {
      const server = https.createServer(peer, (request, response) =>
        response.end(request.socket.getPeerCertificate().subject.CN),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const agent = new https.Agent({ ...credentials(), servername: 'localhost' });
      const get = () =>
        new Promise((resolve, reject) => {
          https
            .get({ host: '127.0.0.1', port: server.address().port, agent }, async (response) => {
              const parts = [];
              for await (const part of response) parts.push(part);
              resolve(Buffer.concat(parts).toString());
            })
            .on('error', reject);
        });
      assert.strictEqual(await get(), `device-${name}`);
      dropSessions();
      assert.strictEqual(await get(), `device-${name}`);
      agent.destroy();
      server.close();
    });

    test('is refused by a server that trusts somebody else', async () => {
      const stranger = { ...peer, ca: read('server.pem') };
      const { client, server } = await handshake(stranger, credentials());
      assert.deepStrictEqual([client.status, server.status], ['rejected', 'rejected']);
      const lenient = await handshake({ ...stranger, rejectUnauthorized: false }, credentials());
      assert.strictEqual(lenient.server.value.distrust, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    });

    test('and software keys are used side by side', async () => {
      const software = await handshake(peer, { key: peer.key, cert: peer.cert, ca });
      const token = await handshake(peer, credentials());
      assert.deepStrictEqual([software.server.value.peer, token.server.value.peer], ['localhost', `device-${name}`]);
    });
  });
}

test('a closed identity ends the handshakes of contexts that were made of it', async () => {
  const device = await open(uri('ec'));
  const secureContext = tls.createSecureContext({ cert: device.cert, key: device.key, ca });
  device.close();
  const { client, server } = await handshake(peer, { secureContext });
  assert.deepStrictEqual([client.status, server.status], ['rejected', 'rejected']);
  assert.match(client.reason.message, /identity was closed/);
  assert.throws(() => tls.createSecureContext({ key: device.key }), /unsupported/);
});

test("a certificate of another key of the identity's type is refused by Node, too", async () => {
  const device = await open(uri('ec'));
  assert.throws(() => tls.createSecureContext({ key: device.key, cert: peer.cert }), {
    code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
  });
  device.close();
});
