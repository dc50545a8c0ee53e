'use strict';

const { read } = require('./support/device');
const { exchangesMessages } = require('./support/messages');
const { sendMessage } = require('./support/mqtt');
const { sdk } = require('./support/sdk');

const { Client, Message } = sdk('azure', 'azure-iot-device');
const { Mqtt } = sdk('azure', 'azure-iot-device-mqtt');
const mqtt = sdk('azure', 'mqtt');

// The hub's name may have a port behind it, which the SDK hands on to MQTT.js.
async function exchange({ device: { cert, key }, port }) {
  const client = Client.fromConnectionString(`HostName=localhost:${port};DeviceId=device-0001;x509=true`, Mqtt);
  await client.setOptions({ cert, key, ca: read('ca.pem') });
  try {
    await client.open();
    const received = new Promise((resolve) => {
      client.on('message', resolve);
    });
    await client.sendEvent(new Message('telemetry'));
    await sendMessage(mqtt, {
      port,
      topic: 'devices/device-0001/messages/devicebound/',
      message: 'hello',
      retain: true,
    });
    const message = await received;
    await client.complete(message);
    return message.data.toString();
  } finally {
    await client.close();
  }
}

exchangesMessages('azure-iot-device by MQTT', { exchange, versions: [undefined] });
