// Node.js as the host: node's own tls with the strings that an identity gives.
//
// usage: node host.js ADDON LIBHSMTLS FOLDER [global:FILE|local:FILE]…
'use strict';

const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const tls = require('tls');

const [addonFile, library, folder, ...before] = process.argv.slice(2);
const addon = { exports: {} };
process.dlopen(addon, addonFile);
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
const ca = read('ca.pem');

const handshake = (credentials) => new Promise((resolve, reject) => {
  const server = tls.createServer(
    { key: read('server.key'), cert: read('server.pem'), ca, requestCert: true, rejectUnauthorized: true },
    (socket) => { socket.on('error', reject); socket.end(socket.getPeerCertificate().subject.CN); });
  server.on('tlsClientError', reject);
  server.listen(0, '127.0.0.1', () => {
    const socket = tls.connect({ ...credentials, ca, port: server.address().port, host: '127.0.0.1', servername: 'localhost' });
    let said = '';
    socket.on('data', (data) => { said += data; });
    socket.on('error', reject);
    socket.on('end', () => { socket.end(); server.close(); resolve(said); });
  });
});

const softwareKeys = async () => {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = crypto.sign('sha256', Buffer.from('data'), privateKey);
  assert(crypto.verify('sha256', Buffer.from('data'), publicKey, signature));
  assert.strictEqual(await handshake({ key: read('server.key'), cert: read('server.pem') }), 'localhost');
};

(async () => {
  for (const one of before) {
    const [how, file] = one.split(':');
    addon.exports.bring(file, how === 'global');
  }
  await softwareKeys();
  for (const name of ['ec', 'rsa']) {
    const { key, cert, where } = addon.exports.open(library, `pkcs11:token=edge;object=${name}`, path.join(folder, `${name}.pem`));
    tls.createSecureContext({ key, cert });
    assert.strictEqual(await handshake({ key, cert }), `device-${name}`);
    console.log(`where: ${where}`);
  }
  await softwareKeys();
  console.log(`own: ${process.config.variables.node_shared_openssl ? '/libssl.so.' : 'the main program'}`);
  console.log(`version: ${process.versions.openssl}`);
})().catch((problem) => {
  console.log(`failed: ${problem.stack}`);
  process.exitCode = 1;
});
