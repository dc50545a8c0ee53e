// The device that hsmtls_with_device has made: its token, its files, and what happens to the token.
'use strict';

const { execFileSync } = require('node:child_process');
const { appendFileSync, mkdtempSync, readFileSync } = require('node:fs');
const path = require('node:path');

const { HSMTLS_TEST_FOLDER: folder, HSMTLS_CHAOS_FILE: chaosFile } = process.env;

const file = (name) => path.join(folder, name);
const read = (name) => readFileSync(file(name), 'utf8');
const makeFolder = () => mkdtempSync(file('folder-'));
const uri = (key) => `pkcs11:token=edge;object=${key}`;

/** A command for the chaos module in front of SoftHSM; it counts for the next PKCS#11 call. */
const chaos = (command) => appendFileSync(chaosFile, `${command}\n`);

/** How many PKCS#11 calls there have been. `call` makes one, at which the chaos module writes its table. */
function countCalls(call) {
  const counts = file('counts');
  chaos(`write-counts ${counts}`);
  call();
  return Number(/^total (\d+)$/m.exec(readFileSync(counts, 'utf8'))[1]);
}

/** A certificate by nobody, and its key. */
function stranger() {
  const folder = makeFolder();
  const [key, cert] = ['key.pem', 'certificate.pem'].map((name) => path.join(folder, name));
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=stranger',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'pipe' },
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** Waits for what hangs on events alone: they do not keep the process alive. */
async function awake(promise) {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

/** A peer of the device's, with a software key: it trusts the root alone, and wants a certificate. */
const peer = {
  key: read('server.key'),
  cert: read('server.pem'),
  ca: read('ca.pem'),
  requestCert: true,
  rejectUnauthorized: true,
};

module.exports = {
  awake,
  chaos,
  countCalls,
  dropSessions: () => chaos('drop-sessions'),
  file,
  makeFolder,
  peer,
  read,
  stranger,
  uri,
};
