// Programs in processes of their own.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');

/** Runs a program to its end: { status, signal, output }. */
async function run(program, parameters, options = {}) {
  const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more) => {
      output += more;
    });
  const [status, signal] = await once(child, 'close');
  return { status, signal, output };
}

/** Runs JavaScript in this version of Node. `device` is an open identity of the EC key there, `hsmtls` the package. */
function runScript(script, { flags = [], ...options } = {}) {
  const program = `
    const hsmtls = require('hsmtls');
    (async () => {
      const device = await hsmtls.open('pkcs11:token=edge;object=ec');
      ${script}
    })().catch((problem) => {
      console.log(problem);
      process.exitCode = 1;
    });`;
  return run(process.execPath, [...flags, '-e', program], options);
}

module.exports = { run, runScript };
