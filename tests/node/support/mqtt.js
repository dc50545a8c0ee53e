// Any version of MQTT.js.
'use strict';

const { peer, read } = require('./device');

/** Publishes a message to itself and returns what came back. */
const exchangeBy =
  (mqtt) =>
  ({ device: { cert, key }, port, tls }) =>
    new Promise((resolve, reject) => {
      const client = mqtt.connect({
        protocol: 'mqtts',
        host: 'localhost',
        port,
        cert,
        key,
        ca: read('ca.pem'),
        reconnectPeriod: 0,
        ...tls,
      });
      client.on('connect', () =>
        client.subscribe('devices/self', { qos: 1 }, () => client.publish('devices/self', 'hello', { qos: 1 })),
      );
      client.on('message', (topic, message) => {
        resolve(message.toString());
        client.end();
      });
      client.on('error', reject);
      client.on('close', () => reject(new Error('the connection was closed')));
    });

/** Sends a message as somebody with a software key; retained: also to who subscribes later. */
const sendMessage = (mqtt, { port, topic, message, retain = false }) =>
  new Promise((resolve, reject) => {
    const client = mqtt.connect({ protocol: 'mqtts', host: 'localhost', port, ...peer });
    client.on('error', reject);
    client.publish(topic, message, { qos: 1, retain }, () => client.end(resolve));
  });

module.exports = { exchangeBy, sendMessage };
