// Full handshakes of Node's own tls as a client: with a key in a token, and with a software key of the same kind (EC P-256).
// Prints one line of JSON: the medians of paired rounds.
//
//   NODE_PATH=build/release/node_modules build/release/bin/hsmtls_with_device node tests/bench/node/handshakes.js [ROUNDS]
'use strict';

const { once } = require('node:events');
const tls = require('node:tls');
const { Worker } = require('node:worker_threads');

const { open } = require('hsmtls');

const { peer, read, uri } = require('../../node/support/device');

const rounds = Number(process.argv[2] ?? 7);
const perRound = 200;

/** The server is on a thread of its own, so that the loop that is measured is the client's alone. */
const serve = () =>
  new Worker(
    `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:tls').createServer(workerData, (socket) => socket.on('error', () => {}).end('.'));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: peer },
  );

async function connect(port, secureContext) {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext });
  await once(socket, 'data');
  socket.destroy();
}

async function round(port, secureContext) {
  const began = performance.now();
  for (let i = 0; i < perRound; i += 1) await connect(port, secureContext);
  return (performance.now() - began) / perRound;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const figures = (connectMs) => ({
  handshakes_per_second: Math.round(1000 / median(connectMs)),
  connect_ms: Number(median(connectMs).toFixed(3)),
});

(async () => {
  const server = serve();
  const [port] = await once(server, 'message');
  const device = await open(uri('ec'));
  const ca = read('ca.pem');
  const contexts = {
    hsmtls: tls.createSecureContext({ cert: device.cert, key: device.key, ca }),
    software: tls.createSecureContext({ cert: peer.cert, key: peer.key, ca }),
  };
  const took = { hsmtls: [], software: [] };
  for (const context of Object.values(contexts)) await round(port, context);
  for (let i = 0; i < rounds; i += 1) {
    for (const [key, context] of Object.entries(contexts)) took[key].push(await round(port, context));
  }
  console.log(
    JSON.stringify({
      runtime: `Node.js ${process.versions.node}`,
      hsmtls: figures(took.hsmtls),
      software: figures(took.software),
    }),
  );
  device.close();
  await server.terminate();
})();
