// connect.js PORT CA TLS-VERSION CERTIFICATE KEY: prints what the server says.
'use strict';
const fs = require('node:fs');
const https = require('node:https');

const [port, ca, version, cert, key] = process.argv.slice(2);
const options = {
  host: 'localhost', port, agent: false,
  minVersion: version, maxVersion: version,
  ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key),
};
https.get(options, (response) => response.pipe(process.stdout));
