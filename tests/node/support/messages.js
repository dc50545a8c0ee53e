// What an SDK does with a broker: connect, publish, receive, and again after the token dropped its sessions.
'use strict';

const assert = require('node:assert');
const { after, before, describe, test } = require('node:test');
const nodeTls = require('node:tls');

const { open } = require('hsmtls');

const { startBroker } = require('./broker');
const { chaos, dropSessions, stranger, uri } = require('./device');

// Which version the latest connection has: SDKs show no socket.
let protocol;
const { connect } = nodeTls;
nodeTls.connect = (...parameters) => {
  const socket = connect(...parameters);
  return socket.once('secureConnect', () => {
    protocol = socket.getProtocol();
  });
};

/**
 * Tests of an SDK. `exchange({ device, port, tls })` connects to the broker, publishes a message to itself and returns what
 * came back; `tls` is more options for tls.connect. `versions`: those that can be asked for, in an SDK that hands them on.
 */
function exchangesMessages(sdk, { exchange, versions = ['TLSv1.2', 'TLSv1.3'] }) {
  describe(`${sdk}, not modified`, () => {
    let broker;
    before(async () => {
      broker = await startBroker();
    });
    after(() => broker.stop());

    for (const name of ['ec', 'rsa']) {
      for (const version of versions) {
        test(`publishes and receives with the ${name} key${version ? ` by ${version}` : ''}, and after the token dropped its sessions`, async () => {
          const device = await open(uri(name));
          const tls = version ? { minVersion: version, maxVersion: version } : {};
          try {
            for (const losses of [0, 1]) {
              const { lost } = device.counters;
              if (losses) dropSessions();
              broker.log.forget();
              assert.strictEqual(await exchange({ device, port: broker.port, tls }), 'hello');
              await broker.log.line(new RegExp(`New client connected .*u'device-${name}'`));
              assert.strictEqual(device.counters.lost, lost + losses);
              if (version) assert.strictEqual(protocol, version);
            }
          } finally {
            device.close();
          }
        });
      }
    }

    test('fails on both sides where the token does not sign, and lastError says why', async () => {
      const device = await open(uri('ec'));
      broker.log.forget();
      chaos('fail C_Sign * CKR_FUNCTION_REJECTED');
      await assert.rejects(exchange({ device, port: broker.port, tls: {} }));
      chaos('clear');
      await broker.log.line(/Client <unknown> disconnected|Client connection from .* failed: .*unexpected eof/);
      assert.strictEqual(device.lastError.ckr, 'CKR_FUNCTION_REJECTED');
      device.close();
    });

    test('is refused by the broker with a certificate of nobody whom that trusts', async () => {
      await assert.rejects(exchange({ device: stranger(), port: broker.port, tls: {} }));
      await broker.log.line(/certificate verify failed/);
    });
  });
}

module.exports = { exchangesMessages };
