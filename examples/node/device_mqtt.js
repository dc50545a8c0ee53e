// MQTT.js: a device that sends telemetry and receives a message.
//
//   device_mqtt.js KEY-URI CA-FILE mqtts://HOST:PORT
const { readFileSync } = require('node:fs');
const mqtt = require('mqtt');
const { open } = require('hsmtls');

const [uri, ca, broker] = process.argv.slice(2);

(async () => {
  const { cert, key } = await open(uri);
  const client = mqtt.connect(broker, { cert, key, ca: readFileSync(ca) });

  client.on('connect', () => {
    client.subscribe('devices/commands', { qos: 1 }, () => {
      client.publish('devices/telemetry', JSON.stringify({ temperature: 21.5 }), { qos: 1 });
    });
  });
  client.on('message', (topic, message) => {
    console.log(`${topic}: ${message}`);
    client.end();
  });
  client.on('error', (problem) => console.error(problem.message));
})();
