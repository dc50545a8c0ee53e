// AWS IoT Device SDK v1: a device that sends telemetry and receives a message, as the SDK's sample does it.
//
//   device_aws.js KEY-URI CA-FILE HOST PORT
const awsIot = require('aws-iot-device-sdk');
const { open } = require('hsmtls');

const [uri, caPath, host, port] = process.argv.slice(2);

(async () => {
  const { cert, key } = await open(uri);
  const device = awsIot.device({
    privateKey: Buffer.from(key),
    clientCert: Buffer.from(cert),
    caPath,
    clientId: 'device-0001',
    host,
    port,
  });

  device.on('connect', () => {
    device.subscribe('devices/commands', { qos: 1 }, () => {
      device.publish('devices/telemetry', JSON.stringify({ temperature: 21.5 }));
    });
  });
  device.on('message', (topic, payload) => {
    console.log(`${topic}: ${payload}`);
    device.end();
  });
})();
