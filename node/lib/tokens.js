'use strict';

const { settled } = require('./errors');
const native = require('./native');
const { tokensOptions } = require('./options');

async function tokens(options = {}) {
  return settled(native.tokens(tokensOptions(options).module));
}

module.exports = { tokens };
