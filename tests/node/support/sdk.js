// SDKs as scripts/lib/hosts.sh has fetched them.
'use strict';

const { existsSync } = require('node:fs');
const path = require('node:path');

const npm = process.env.HSMTLS_TEST_NPM;

/** A package of build/npm/FOLDER; where it is not there, this test is skipped as a whole. */
function sdk(folder, name) {
  const file = path.join(npm, folder, 'node_modules', name);
  if (!existsSync(file)) skip(`${name} is not there (npm: ${folder})`);
  return require(file);
}

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

/** Where an example finds the package and the SDK: NODE_PATH. */
const nodePath = (folder) => [process.env.NODE_PATH, path.join(npm, folder, 'node_modules')].join(path.delimiter);

module.exports = { nodePath, sdk, skip };
