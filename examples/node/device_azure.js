// Azure IoT Hub: a device that sends telemetry and receives a message, as the SDK's sample for X.509 does it.
//
//   device_azure.js KEY-URI CONNECTION-STRING [CA-FILE]
//
// The connection string is "HostName=NAME.azure-devices.net;DeviceId=ID;x509=true".
const { readFileSync } = require('node:fs');
const { Client, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { open } = require('hsmtls');

const [uri, connectionString, ca] = process.argv.slice(2);

(async () => {
  const { cert, key } = await open(uri);
  const client = Client.fromConnectionString(connectionString, Mqtt);
  await client.setOptions({ cert, key, ca: ca && readFileSync(ca, 'utf8') });

  client.on('message', async (message) => {
    console.log(`received: ${message.data}`);
    await client.complete(message);
    await client.close();
  });
  await client.open();
  await client.sendEvent(new Message(JSON.stringify({ temperature: 21.5 })));
  console.log('sent');
})();
