// mosquitto, which demands a certificate by the root and takes its common name as the user name.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { existsSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const { file, makeFolder } = require('./device');
const { skip } = require('./sdk');

const program = [...process.env.PATH.split(path.delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => path.join(folder, 'mosquitto'))
  .find(existsSync);

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** What it writes, line by line, and whoever waits for a line. */
class Log {
  #text = '';
  #waiting = [];

  constructor(stream, ended) {
    stream.setEncoding('utf8').on('data', (more) => {
      this.#text += more;
      this.#look();
    });
    ended.then(() => this.#waiting.forEach(({ reject }) => reject(new Error(`mosquitto has ended:\n${this.#text}`))));
  }

  /** What was written before does not count any more. */
  forget() {
    this.#text = '';
  }

  /** The first line that fits, also one that was written already. */
  line(pattern) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pattern, resolve, reject });
      this.#look();
      setTimeout(() => reject(new Error(`mosquitto never said ${pattern}:\n${this.#text}`)), 30_000).unref();
    });
  }

  #look() {
    this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
      const found = pattern.exec(this.#text);
      if (found) resolve(found);
      return !found;
    });
  }
}

async function startOnce() {
  const port = await freePort();
  const configuration = path.join(makeFolder(), 'mosquitto.conf');
  writeFileSync(
    configuration,
    [
      `listener ${port} 127.0.0.1`,
      `cafile ${file('ca.pem')}`,
      `certfile ${file('server.pem')}`,
      `keyfile ${file('server.key')}`,
      'require_certificate true',
      'use_identity_as_username true',
      'persistence false',
      'log_type all',
      'log_dest stderr',
      // Started as root it would become the user mosquitto, who cannot read the key file.
      ...(process.getuid() === 0 ? ['user root'] : []),
    ].join('\n') + '\n',
  );
  const broker = spawn(program, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(broker, 'exit');
  const log = new Log(broker.stderr, ended);
  await log.line(/mosquitto version \S+ running/);
  const stop = async () => {
    broker.kill();
    await ended;
  };
  return { port, log, stop };
}

/** { port, log, stop }. Skips the whole test where there is no mosquitto. */
async function startBroker() {
  if (!program) skip('mosquitto is not installed');
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce();
    } catch (taken) {
      // Somebody took the port between the two steps: another one.
      if (attempt === 5) throw taken;
    }
  }
}

module.exports = { startBroker };
