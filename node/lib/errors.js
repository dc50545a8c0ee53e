'use strict';

const codes = require('./error_codes');

/**
 * What every function of hsmtls fails with, but for wrong types (TypeError).
 *
 * Ask for `code`, not for the class: a process may have several copies of this package, each with a class of its own.
 */
class HsmtlsError extends Error {
  constructor({ code, message, ckr, opensslReason }) {
    super(message);
    const [name, category] = codes.get(code) ?? ['INTERNAL', 'internal'];
    this.code = `ERR_HSMTLS_${name}`;
    this.category = category;
    if (ckr) this.ckr = ckr;
    if (opensslReason) this.opensslReason = opensslReason;
  }
}
Object.defineProperty(HsmtlsError.prototype, 'name', { value: 'HsmtlsError', writable: true, configurable: true });

/** Waits for a promise of the addon, whose failures become errors with the stack of whoever waits. */
async function settled(promise) {
  try {
    return await promise;
  } catch (failure) {
    throw failure instanceof Error ? failure : new HsmtlsError(failure);
  }
}

module.exports = { HsmtlsError, settled };
