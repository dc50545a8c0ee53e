'use strict';

const { HsmtlsError } = require('./lib/errors');
const { open } = require('./lib/identity');
const { tokens } = require('./lib/tokens');

module.exports = { HsmtlsError, open, tokens };
