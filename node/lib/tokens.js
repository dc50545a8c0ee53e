'use strict';

const { settled } = require('./errors');
const native = require('./native');
const { needString } = require('./options');

async function tokens({ module } = {}) {
  return settled(native.tokens(module === undefined ? undefined : needString(module, 'options.module')));
}

module.exports = { tokens };
