'use strict';

const { file } = require('./support/device');
const { exchangesMessages } = require('./support/messages');
const { sdk } = require('./support/sdk');

const awsIot = sdk('aws', 'aws-iot-device-sdk');
let clients = 0;

const exchange = ({ device: { cert, key }, port, tls }) =>
  new Promise((resolve, reject) => {
    const client = awsIot.device({
      privateKey: Buffer.from(key),
      clientCert: Buffer.from(cert),
      caPath: file('ca.pem'),
      clientId: `device-${(clients += 1)}`,
      host: 'localhost',
      port,
      ...tls,
    });
    client.on('connect', () =>
      client.subscribe('devices/self', { qos: 1 }, () => client.publish('devices/self', 'hello')),
    );
    client.on('message', (topic, message) => {
      resolve(message.toString());
      client.end();
    });
    const fail = (problem) => {
      reject(problem ?? new Error('the connection was closed'));
      client.end(true);
    };
    client.on('error', fail);
    client.on('close', fail);
  });

exchangesMessages('aws-iot-device-sdk', { exchange });
