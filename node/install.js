'use strict';

// npm's install step. A package that was packed after a build has its libraries in native/, and nothing is done. In a
// checkout they are built: that needs cmake, g++ and the Debian packages that README.md names, nothing of the tests.
const { execFileSync } = require('node:child_process');
const { existsSync, rmSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const path = require('node:path');

const root = path.dirname(__dirname);
const native = path.join(__dirname, 'native');
const tree = path.join(root, 'build', 'node');

function run(command, ...parameters) {
  console.log(`hsmtls: ${[command, ...parameters].join(' ')}`);
  execFileSync(command, parameters, { cwd: __dirname, stdio: 'inherit' });
}

// npm leaves out what a package needs for its build where it only makes a link to its folder.
function fetchHeaders() {
  const missing = Object.entries(require('./package.json').devDependencies).filter(
    ([name]) => !existsSync(path.join(__dirname, 'node_modules', name)),
  );
  if (missing.length === 0) return;
  const wanted = missing.map(([name, version]) => `${name}@${version}`);
  // Without a lock file and a word in package.json; in this folder whatever npm was called with (--global).
  const quietly = '--no-save --no-package-lock --ignore-scripts --no-audit --no-fund --global=false'.split(' ');
  run('npm', 'install', ...wanted, ...quietly, '--prefix', __dirname);
}

function build() {
  fetchHeaders();
  const off = ['COMMAND', 'DEV', 'TESTS', 'PYTHON', 'DOTNET'].map((one) => `-DHSMTLS_${one}=OFF`);
  run('cmake', '-S', root, '-B', tree, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DHSMTLS_NODE=ON', ...off);
  run('cmake', '--build', tree, '--parallel', `${availableParallelism()}`, '--target', 'hsmtls_node');
  rmSync(native, { recursive: true, force: true });
  run('cmake', '--install', tree, '--component', 'node', '--prefix', native, '--strip');
}

if (existsSync(path.join(root, 'bindings', 'node', 'CMakeLists.txt'))) {
  build();
} else if (!existsSync(path.join(native, 'hsmtls.node'))) {
  console.error(
    `hsmtls: this package has no libraries for ${process.platform} ${process.arch}. ` +
      'Install it from a checkout, which builds them: npm install PATH/TO/hsmtls/node',
  );
  process.exitCode = 1;
}
