'use strict';

// The addon comes with the package; in a checkout it is in the build folder of the preset "release".
function load() {
  try {
    return require('../native/hsmtls.node');
  } catch (missing) {
    if (missing.code !== 'MODULE_NOT_FOUND') throw missing;
    try {
      return require('../../build/release/node_modules/hsmtls/native/hsmtls.node');
    } catch {
      throw missing;
    }
  }
}

module.exports = load();
