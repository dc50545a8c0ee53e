// The same code as for CommonJS: two builds would be two classes of errors.
import hsmtls from './index.js';

export const { HsmtlsError, open, tokens } = hsmtls;
export default hsmtls;
