// The package as npm packs and installs it.
'use strict';

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');

const { makeFolder, uri } = require('./support/device');
const { run } = require('./support/run');
const { skip } = require('./support/sdk');

const project = makeFolder();
const npm = (...parameters) =>
  execFileSync('npm', [...parameters, '--offline', '--no-audit', '--no-fund', '--cache', path.join(project, 'cache')], {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
try {
  execFileSync('npm', ['--version'], { stdio: 'ignore' });
} catch {
  skip('npm is not installed');
}

/** Runs a program in the project, which finds nothing but what is installed there. */
async function inProject(file, text) {
  writeFileSync(path.join(project, file), text);
  const { status, output } = await run(process.execPath, [file], {
    cwd: project,
    env: { ...process.env, NODE_PATH: '' },
  });
  assert.strictEqual(status, 0, output);
  return output;
}

describe('the package', () => {
  let packed;
  before(() => {
    // The build folder has links to the libraries; a package has files, without what debuggers want. (cpSync of Node 24
    // keeps the links.)
    const copy = path.join(project, 'copy');
    execFileSync('cp', ['-rL', path.dirname(require.resolve('hsmtls')), copy]);
    execFileSync(
      'strip',
      readdirSync(path.join(copy, 'native')).map((file) => path.join(copy, 'native', file)),
    );
    [packed] = JSON.parse(npm('pack', copy, '--json'));
    writeFileSync(path.join(project, 'package.json'), '{ "private": true }');
    npm('install', packed.filename);
  });

  test('holds what is needed, and both libraries once', () => {
    assert.deepStrictEqual(packed.files.map((file) => file.path).sort(), [
      'README.md',
      'index.d.ts',
      'index.js',
      'index.mjs',
      'install.js',
      'lib/error_codes.d.ts',
      'lib/error_codes.js',
      'lib/errors.js',
      'lib/identity.js',
      'lib/native.js',
      'lib/options.js',
      'lib/tokens.js',
      'native/hsmtls.node',
      'native/libhsmtls-pkcs11.so',
      'native/libhsmtls.so',
      'package.json',
    ]);
    const { dependencies, version } = JSON.parse(
      readFileSync(path.join(project, 'node_modules/hsmtls/package.json'), 'utf8'),
    );
    assert.strictEqual(dependencies, undefined);
    assert.strictEqual(version, require('hsmtls/package.json').version);
  });

  test('is required and imported, and is one and the same', async () => {
    const output = await inProject(
      'both.mjs',
      `
      import { createRequire } from 'node:module';
      import hsmtls, { HsmtlsError, open, tokens } from 'hsmtls';
      const required = createRequire(import.meta.url)('hsmtls');
      console.log(hsmtls === required && HsmtlsError === required.HsmtlsError && open === required.open && tokens === required.tokens);
      const device = await open('${uri('ec')}');
      console.log(device.info.keyName);`,
    );
    assert.strictEqual(output, 'true\nEC P-256\n');
  });

  test('may be there twice in a process: one library behind both, and errors that are told apart by their code', async () => {
    const other = path.join(project, 'other');
    mkdirSync(other);
    cpSync(path.join(project, 'node_modules'), path.join(other, 'node_modules'), { recursive: true });
    const output = await inProject(
      'twice.js',
      `
      const crypto = require('node:crypto');
      const [one, two] = ['hsmtls', './other/node_modules/hsmtls'].map((copy) => require(copy));
      (async () => {
        const devices = [await one.open('${uri('ec')}'), await two.open('${uri('rsa')}')];
        for (const { key } of devices) crypto.sign('sha256', Buffer.from('data'), key);
        const problem = await two.open('pkcs11:token=edgy').catch((thrown) => thrown);
        console.log(one.open === two.open, problem instanceof one.HsmtlsError, problem.code);
        const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8');
        console.log(new Set(maps.match(/\\S+\\/libhsmtls-pkcs11\\.so/g)).size);
      })();`,
    );
    assert.strictEqual(output, 'false false ERR_HSMTLS_TOKEN_NOT_FOUND\n1\n');
  });

  test('without its libraries says where to get them', async () => {
    const bare = path.join(project, 'bare');
    cpSync(path.join(project, 'node_modules/hsmtls'), bare, {
      recursive: true,
      filter: (file) => path.basename(file) !== 'native',
    });
    const { status, output } = await run(process.execPath, ['install.js'], { cwd: bare });
    assert.strictEqual(status, 1);
    assert.match(output, /Install it from a checkout/);
  });
});
