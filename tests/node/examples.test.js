// The examples, as they stand.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { copyFileSync, mkdirSync, symlinkSync } = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { after, before, describe, test } = require('node:test');

const { startBroker } = require('./support/broker');
const { dropSessions, file, makeFolder, uri } = require('./support/device');
const { sendMessage } = require('./support/mqtt');
const { run } = require('./support/run');
const { nodePath, sdk } = require('./support/sdk');

const mqtt = sdk('mqtt-5', 'mqtt');
sdk('azure', 'azure-iot-device-mqtt');
sdk('aws', 'aws-iot-device-sdk');

const folder = path.join(__dirname, '../../examples/node');
const example = (name) => path.join(folder, name);

describe('the example', () => {
  let broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.stop());

  async function endsWell(running) {
    const { status, output } = await running;
    assert.strictEqual(status, 0, output);
    return output;
  }
  const start = (name, packages, ...parameters) =>
    endsWell(
      run(process.execPath, [example(name), ...parameters], { env: { ...process.env, NODE_PATH: nodePath(packages) } }),
    );

  test('quick_start.mjs publishes', async () => {
    // An ES module finds packages beside itself only.
    const project = makeFolder();
    copyFileSync(example('quick_start.mjs'), path.join(project, 'quick_start.mjs'));
    mkdirSync(path.join(project, 'node_modules'));
    symlinkSync(path.dirname(require.resolve('hsmtls')), path.join(project, 'node_modules/hsmtls'));
    symlinkSync(
      path.join(nodePath('mqtt-5').split(path.delimiter).at(-1), 'mqtt'),
      path.join(project, 'node_modules/mqtt'),
    );
    await endsWell(
      run(process.execPath, ['quick_start.mjs', uri('ec'), `mqtts://localhost:${broker.port}`], {
        cwd: project,
        env: { ...process.env, NODE_EXTRA_CA_CERTS: file('ca.pem') },
      }),
    );
    await broker.log.line(/Received PUBLISH .*'devices\/telemetry', \.\.\. \(4 bytes\)/);
  });

  // Each subscribes first and then sends its telemetry.
  const command = { topic: 'devices/commands', message: 'blink' };

  test('device_mqtt.js sends telemetry and receives a message', async () => {
    const running = start('device_mqtt.js', 'mqtt-5', uri('ec'), file('ca.pem'), `mqtts://localhost:${broker.port}`);
    await broker.log.line(/Received PUBLISH .*'devices\/telemetry', \.\.\. \(20 bytes\)/);
    await sendMessage(mqtt, { port: broker.port, ...command });
    assert.strictEqual(await running, 'devices/commands: blink\n');
  });

  test('device_aws.js sends telemetry and receives a message', async () => {
    const running = start('device_aws.js', 'aws', uri('rsa'), file('ca.pem'), 'localhost', String(broker.port));
    await broker.log.line(/Received PUBLISH from device-0001 .*'devices\/telemetry'/);
    await sendMessage(mqtt, { port: broker.port, ...command });
    assert.match(await running, /^devices\/commands: blink$/m);
  });

  test('device_azure.js sends telemetry and receives a message', async () => {
    const running = start(
      'device_azure.js',
      'azure',
      uri('rsa'),
      `HostName=localhost:${broker.port};DeviceId=device-0002;x509=true`,
      file('ca.pem'),
    );
    await broker.log.line(/Received PUBLISH .*'devices\/device-0002\/messages\/events\/'/);
    await sendMessage(mqtt, {
      port: broker.port,
      topic: 'devices/device-0002/messages/devicebound/',
      message: 'blink',
      retain: true,
    });
    assert.deepStrictEqual((await running).trim().split('\n').sort(), ['received: blink', 'sent']);
  });

  test('publish_mqtt.js publishes again when it is told to, after a loss, and ends with its stdin', async () => {
    const child = spawn(
      process.execPath,
      [example('publish_mqtt.js'), uri('ec'), file('ca.pem'), String(broker.port), 'publisher', 'devices/demo'],
      { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_PATH: nodePath('mqtt-5') } },
    );
    const ended = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value;
    assert.match(await next(), /^\{"client": "MQTT\.js", "event": "published", "connect_ms": [\d.]+\}$/);
    dropSessions();
    child.stdin.write('again\n');
    assert.match(await next(), /"event": "published"/);
    await broker.stop();
    child.stdin.write('again\n');
    assert.match(await next(), /"event": "failed", "error": "[^"]+"\}$/);
    child.stdin.end();
    assert.deepStrictEqual(await ended, [0, null]);
  });
});
