// What TypeScript knows of the package.
'use strict';

const assert = require('node:assert');
const { symlinkSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { makeFolder } = require('./support/device');
const { run } = require('./support/run');
const { nodePath, sdk } = require('./support/sdk');

sdk('typescript', 'typescript');
const types = nodePath('typescript').split(path.delimiter).at(-1);
// Below the build folder, whose node_modules has the package.
const project = makeFolder();
// What is said to be an error there has to be one.
const program = `
import { open, tokens, HsmtlsError, type ErrorCode, type Identity } from 'hsmtls';
import * as tls from 'node:tls';

await using device: Identity = await open('pkcs11:token=edge', {
  certificate: 'device.pem', pin: async (label) => Buffer.from(label), require: { neverExtractable: true },
  deadline: 500, signal: AbortSignal.timeout(1000),
});
tls.connect({ cert: device.cert, key: device.key });
device.on('lost', () => {}).once('restored', ({ took }) => took.toFixed()).on('signed', ({ mechanism, took }) => mechanism === 'ecdsa' && took);
await device.writeFiles('/run/device');
const bits: number = device.info.keyBits + device.counters.lost;
const code: ErrorCode | undefined = device.lastError?.code;
const [{ uri, flags }] = await tokens({ module: 'module.so' });

// @ts-expect-error: misspelt
open('pkcs11:token=edge', { certficate: 'device.pem' });
// @ts-expect-error: not a PIN
open('pkcs11:token=edge', { pin: 1234 });
// @ts-expect-error: no event
device.on('signd', () => {});
// @ts-expect-error: read-only
device.key = '';
// @ts-expect-error: no such code
code === 'ERR_HSMTLS_PIN_LOKED';
// @ts-expect-error: errors are made by the package
new HsmtlsError();
export { bits, uri, flags };
`;

test('a program in TypeScript compiles, and its mistakes are found', async () => {
  writeFileSync(path.join(project, 'program.mts'), program);
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
  symlinkSync(types, path.join(project, 'node_modules'));
  const { status, output } = await run(
    process.execPath,
    [
      path.join(types, 'typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2022,esnext.disposable',
      '--types',
      'node',
      'program.mts',
    ],
    { cwd: project },
  );
  assert.strictEqual(status, 0, output);
});
