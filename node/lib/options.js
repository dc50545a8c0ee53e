'use strict';

// As hsmtls.h numbers them.
const keyFlags = { local: 1, alwaysSensitive: 2, neverExtractable: 4, alwaysAuthenticate: 8 };
const withoutCertificateFlag = 1;

const isString = (value) => typeof value === 'string';
const isBoolean = (value) => typeof value === 'boolean';
const isObject = (value) => typeof value === 'object' && value !== null;
const isBytes = (value) => value instanceof Uint8Array;

// What each option may be: how that is said, and how it is tested.
const options = {
  certificate: ['a string', isString],
  pin: [
    'a string, a Buffer or a function',
    (value) => isString(value) || isBytes(value) || typeof value === 'function',
  ],
  pinSource: ['a string', isString],
  module: ['a string', isString],
  require: ['an object', isObject],
  deadline: ['a number of milliseconds', (value) => Number.isFinite(value) && value >= 0],
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  forgetPin: ['a boolean', isBoolean],
  insist: ['a boolean', isBoolean],
  withoutCertificate: ['a boolean', isBoolean],
};
const requirements = Object.fromEntries(Object.keys(keyFlags).map((name) => [name, ['a boolean', isBoolean]]));

function wrong(text) {
  return Object.assign(new TypeError(`hsmtls: ${text}`), { code: 'ERR_INVALID_ARG_TYPE' });
}

function need(value, name, [kind, fits]) {
  if (!fits(value)) throw wrong(`${name} must be ${kind}`);
  return value;
}

function needString(value, name) {
  return need(value, name, ['a string', isString]);
}

/** Checks every name as well: what is misspelt must not pass for not asked. */
function needAll(given, name, known) {
  need(given, name, ['an object', isObject]);
  for (const [one, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, one)) throw wrong(`${name} has no '${one}'; there are: ${Object.keys(known).join(', ')}`);
    if (value !== undefined) need(value, `${name}.${one}`, known[one]);
  }
  return given;
}

/** The arguments of open, as the addon takes them; `pin` and `signal` as they came. */
function openOptions(uri, given) {
  needString(uri, 'uri');
  const {
    require: required = {},
    deadline = 0,
    withoutCertificate = false,
    ...others
  } = needAll(given, 'options', options);
  needAll(required, 'options.require', requirements);
  return {
    ...others,
    uri,
    require: Object.keys(required).reduce((flags, name) => flags | (required[name] ? keyFlags[name] : 0), 0),
    flags: withoutCertificate ? withoutCertificateFlag : 0,
    deadline: Math.min(Math.ceil(deadline), 0xffffffff),
  };
}

function tokensOptions(given) {
  return needAll(given, 'options', { module: options.module });
}

/** A string in memory of its own, to be overwritten: Buffer.from would put it into a pool that all share. */
function pinBytes(pin) {
  if (!isString(pin)) return need(pin, 'the PIN', ['a string or a Buffer', isBytes]);
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(pin));
  bytes.write(pin);
  return bytes;
}

function propertiesOf(flags) {
  return Object.fromEntries(Object.entries(keyFlags).map(([name, flag]) => [name, (flags & flag) !== 0]));
}

module.exports = { needString, openOptions, pinBytes, propertiesOf, tokensOptions };
