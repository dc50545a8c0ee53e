// Publishes over mutual TLS with MQTT.js as the identity in a token. Each line on stdin connects anew (full handshake, new
// signature) and publishes once more: the token may be reset in between.
//
//   publish_mqtt.js KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]
//
// The certificate is in the token, beside the key. HSMTLS_MODULE names the vendor's module, HSMTLS_PIN_SOURCE says where the
// PIN is.
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const mqtt = require('mqtt');
const { open } = require('hsmtls');

const [uri, ca, port, clientId, topic, host = 'localhost'] = process.argv.slice(2);

async function publish(device) {
  const { cert, key } = device;
  const started = performance.now();
  const report = { client: 'MQTT.js', event: 'published' };
  try {
    const client = await mqtt.connectAsync(
      { protocol: 'mqtts', host, port, clientId, cert, key, ca: readFileSync(ca) },
      false,
    );
    report.connect_ms = Math.round((performance.now() - started) * 10) / 10;
    await client.publishAsync(topic, 'hello', { qos: 1 });
    await client.endAsync();
  } catch (problem) {
    Object.assign(report, { event: 'failed', error: (device.lastError ?? problem).message });
  }
  // As the other publishers write it, with a blank behind each comma and colon.
  console.log(JSON.stringify(report, null, 1).replace(/\s+/g, ' ').replace('{ ', '{').replace(' }', '}'));
}

(async () => {
  const device = await open(uri);
  await publish(device);
  for await (const _ of createInterface({ input: process.stdin })) await publish(device);
  device.close();
})();
