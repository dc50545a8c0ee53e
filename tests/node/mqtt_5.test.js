'use strict';

const { exchangesMessages } = require('./support/messages');
const { exchangeBy } = require('./support/mqtt');
const { sdk } = require('./support/sdk');

exchangesMessages('MQTT.js 5', { exchange: exchangeBy(sdk('mqtt-5', 'mqtt')) });
