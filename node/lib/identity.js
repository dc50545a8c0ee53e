'use strict';

const { EventEmitter } = require('node:events');

const { HsmtlsError, settled } = require('./errors');
const native = require('./native');
const { needString, openOptions, pinBytes, propertiesOf } = require('./options');

// As hsmtls.h numbers them.
const keyTypes = { 1: 'rsa', 2: 'ec', 3: 'ed25519' };
const mechanisms = { 1: 'rsa-pkcs1', 2: 'rsa-pss', 3: 'rsa-raw', 4: 'ecdsa', 5: 'eddsa' };
const events = {
  1: () => ['lost'],
  2: (took) => ['restored', { took }],
  3: (took, mechanism) => ['signed', { mechanism: mechanisms[mechanism], took }],
};

// What the addon tells the listener refers to the identity: so it lives until it is closed. SDKs keep its strings alone.
class Identity extends EventEmitter {
  #opened;
  #isClosed = false;

  get cert() {
    return this.#opened.cert;
  }

  get key() {
    return this.#opened.key;
  }

  get info() {
    const { keyType, keyBits, keyName, keyUri, keyFlags, numCertificates } = this.#opened;
    return {
      keyType: keyTypes[keyType],
      keyBits,
      keyName,
      keyUri,
      numCertificates,
      properties: propertiesOf(keyFlags),
    };
  }

  get counters() {
    const counted = native.counters(this.#opened.handle);
    if (counted.code !== undefined) throw new HsmtlsError(counted);
    return counted;
  }

  get lastError() {
    const failure = native.lastError(this.#opened.handle);
    return failure && new HsmtlsError(failure);
  }

  async writeFiles(directory) {
    await settled(native.writeFiles(this.#opened.handle, needString(directory, 'directory')));
  }

  close() {
    this.#isClosed = true;
    native.close(this.#opened.handle);
  }

  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  #tell(type, mechanism, microseconds) {
    if (this.#isClosed) return;
    // In a tick of its own: what a listener throws is an uncaught exception then, as of every emitter.
    process.nextTick(() => this.emit(...events[type](microseconds / 1000, mechanism)));
  }

  /** An identity; or the label of a token, where options.askPin is true and the token wants a PIN. */
  static async attempt(options) {
    const identity = new Identity();
    identity.#opened = await settled(native.open(options, (...event) => identity.#tell(...event)));
    return typeof identity.#opened === 'string' ? identity.#opened : identity;
  }
}

async function withPin(options, pin) {
  const bytes = pinBytes(pin);
  const opening = Identity.attempt({ ...options, pin: bytes });
  if (bytes !== pin) bytes.fill(0); // the addon has a copy already
  return opening;
}

async function openWith({ pin, ...options }) {
  if (pin === undefined) return Identity.attempt(options);
  if (typeof pin !== 'function') return withPin(options, pin);
  const opened = await Identity.attempt({ ...options, askPin: true });
  if (opened instanceof Identity) return opened;
  return withPin(options, await pin(opened));
}

/** As `opening`, unless the signal comes first: then what is opened later is closed. */
function abortable(opening, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      opening.then(
        (identity) => identity.close(),
        () => {},
      );
      reject(signal.reason);
    };
    const settle = (how) => (result) => {
      signal.removeEventListener('abort', abort);
      how(result);
    };
    signal.addEventListener('abort', abort, { once: true });
    opening.then(settle(resolve), settle(reject));
  });
}

async function open(uri, options = {}) {
  const { signal, ...checked } = openOptions(uri, options);
  signal?.throwIfAborted();
  const opening = openWith(checked);
  return signal ? abortable(opening, signal) : opening;
}

module.exports = { open };
