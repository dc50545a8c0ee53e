// Both ends of a TLS connection in this process.
'use strict';

const { once } = require('node:events');
const tls = require('node:tls');

/** What one side saw: whom, whether it trusts that peer (null: yes), and by which version. Rejects with why not. */
function seenBy(socket) {
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before a word')));
    // With TLS 1.3 a client has connected before it is refused: only data says that it was let in.
    socket.once('data', () =>
      resolve({
        peer: socket.getPeerCertificate().subject.CN,
        distrust: socket.authorizationError,
        protocol: socket.getProtocol(),
      }),
    );
    socket.write('?');
  });
}

/** Lets a client connect to a server, and returns { client, server }: as Promise.allSettled says how each ended. */
async function handshake(serverOptions, clientOptions) {
  const server = tls.createServer(serverOptions);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise((resolve, reject) => {
    server.on('secureConnection', (socket) => resolve(seenBy(socket)));
    server.on('tlsClientError', reject);
  });
  let socket;
  try {
    socket = tls.connect({ host: '127.0.0.1', port: server.address().port, servername: 'localhost', ...clientOptions });
    const [client, served] = await Promise.allSettled([seenBy(socket), accepted]);
    return { client, server: served };
  } finally {
    socket?.destroy();
    server.close();
  }
}

module.exports = { handshake };
