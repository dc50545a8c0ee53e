import { open } from 'hsmtls';
import mqtt from 'mqtt';

const [uri, broker] = process.argv.slice(2); // 'pkcs11:token=edge;object=device-key' 'mqtts://broker.example'
const { cert, key } = await open(uri);
const client = await mqtt.connectAsync(broker, { cert, key });
await client.publishAsync('devices/telemetry', '21.5', { qos: 1 });
await client.endAsync();
