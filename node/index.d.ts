import { EventEmitter } from 'node:events';

import { ErrorCategory, ErrorCode } from './lib/error_codes';

export { ErrorCategory, ErrorCode };

/** What is true of a key, or required of it (PKCS#11 v3.1 section 4.9). */
export interface KeyProperties {
  /** CKA_LOCAL: generated in the token. */
  local: boolean;
  alwaysSensitive: boolean;
  neverExtractable: boolean;
  /** CKA_ALWAYS_AUTHENTICATE: the PIN goes to the token for every signature. */
  alwaysAuthenticate: boolean;
}

export interface OpenOptions {
  /**
   * A PEM file, PEM text (it begins with "-----BEGIN"), or a "pkcs11:" URI: the leaf and any intermediates, in any order.
   * Left out: from the token, by the key's CKA_ID, intermediates by their names.
   */
  certificate?: string;
  /**
   * The PIN, or a function that gives it. It is called at most once, inside open, with the label of the token, on this
   * thread and only if that token wants a PIN; it may take its time: the deadline does not run meanwhile. What it throws
   * is what open fails with. A Buffer may be overwritten as soon as open has returned its promise.
   */
  pin?: Pin | ((tokenLabel: string) => Pin | Promise<Pin>);
  /**
   * "file:/run/pin", "env:NAME" or "credential:NAME" (systemd). A file and a credential are read again at each login, and
   * not kept. Left out, as `pin`: HSMTLS_PIN_SOURCE.
   */
  pinSource?: string;
  /** The vendor's PKCS#11 file; only this one is asked. Left out: HSMTLS_MODULE, else what p11-kit has registered. */
  module?: string;
  /** Opening fails with ERR_HSMTLS_KEY_POLICY where one that is true here is not true of the key. */
  require?: Partial<KeyProperties>;
  /** Milliseconds; of opening, and of each signature. Left out, or 0: HSMTLS_DEADLINE_MS, else 2000. */
  deadline?: number;
  /** Aborted: open fails with the signal's reason at once, and closes what it opens later. */
  signal?: AbortSignal;
  /** The PIN is not kept: after a loss there is no login by itself. */
  forgetPin?: boolean;
  /** Log in although the token says that it is the last try. */
  insist?: boolean;
  /** The key alone; `cert` is empty then. */
  withoutCertificate?: boolean;
}

export type Pin = string | Uint8Array;

export interface IdentityInfo {
  keyType: 'rsa' | 'ec' | 'ed25519';
  /** RSA: of the modulus; else of the curve. */
  keyBits: number;
  /** "EC P-256", "RSA 2048", "Ed25519". */
  keyName: string;
  /** Fits this key alone; no query, no PIN. */
  keyUri: string;
  /** The leaf included. */
  numCertificates: number;
  properties: KeyProperties;
}

/** Of the identity's token, since the process began. */
export interface IdentityCounters {
  /** Now. */
  openSessions: number;
  lost: number;
  restored: number;
  signatures: number;
  failedSignatures: number;
}

export interface SignedEvent {
  /** How the token was asked to sign. */
  mechanism: 'rsa-pkcs1' | 'rsa-pss' | 'rsa-raw' | 'ecdsa' | 'eddsa';
  /** Milliseconds: the whole signature, recovery included. */
  took: number;
}

export interface RestoredEvent {
  /** Milliseconds since the loss. */
  took: number;
}

interface IdentityEvents {
  /** The token went away, or dropped its sessions. */
  lost: [];
  /** It is back, and the key is the same. */
  restored: [event: RestoredEvent];
  /** It made a signature. */
  signed: [event: SignedEvent];
}

/**
 * A private key in a token, its certificate chain, and what unlocks it. It lives until it is closed, or the Worker that
 * opened it ends; that nobody refers to it any more does not close it, for SDKs keep its strings alone.
 *
 * Events arrive on this thread, in a tick of their own, and do not keep the process alive.
 */
export interface Identity extends EventEmitter, Disposable, AsyncDisposable {
  /** The chain as PEM, leaf first: for the option `cert` of tls, https and whatever hands options on to them. */
  readonly cert: string;
  /**
   * The reference PEM of the key, for the option `key`. It names the key and holds no key material. Good in all of this
   * process, Workers included, until the identity is closed; a signature then fails with IDENTITY_CLOSED.
   */
  readonly key: string;
  /** No PKCS#11 call. */
  readonly info: IdentityInfo;
  /** Throws ERR_HSMTLS_IDENTITY_CLOSED. */
  readonly counters: IdentityCounters;
  /** Why the latest signature by this identity failed, which OpenSSL hides from Node; null: it did not. */
  readonly lastError: HsmtlsError | null;

  /**
   * Writes certificate.pem and key.pem into a folder, which exists, for SDKs that take files only. Each appears complete or
   * not at all. Rejects with ERR_HSMTLS_FILE_UNREADABLE. In the thread pool.
   */
  writeFiles(directory: string): Promise<void>;

  /**
   * Ends it now, whoever still has its strings: signatures fail, and new uses of `key` find no key. Twice: nothing.
   * Makes a few PKCS#11 calls on this thread.
   */
  close(): void;

  on<Name extends keyof IdentityEvents>(name: Name, listener: (...event: IdentityEvents[Name]) => void): this;
  once<Name extends keyof IdentityEvents>(name: Name, listener: (...event: IdentityEvents[Name]) => void): this;
  off<Name extends keyof IdentityEvents>(name: Name, listener: (...event: IdentityEvents[Name]) => void): this;
}

/**
 * Opens the identity whose key a PKCS#11 URI (RFC 7512) names; whatever fits exactly one private key is enough:
 * "pkcs11:token=edge;object=device-key".
 *
 * It checks all that can be checked before a handshake: the module loads, the token is there, the PIN is right, exactly
 * one key fits, the certificate is for that key, the chain is in order; and that this Node's OpenSSL and its configuration
 * let a key in a token be used at all (ERR_HSMTLS_OPENSSL_UNUSABLE). Rejects with an HsmtlsError; with a TypeError for an
 * option that is misspelt or of the wrong type.
 *
 * The work is done in the thread pool, and takes one of its threads meanwhile.
 */
export function open(uri: string, options?: OpenOptions): Promise<Identity>;

export interface TokenInfo {
  /** Fits this token; no query. */
  uri: string;
  label: string;
  serial: string;
  model: string;
  manufacturer: string;
  /** The vendor's file. */
  module: string;
  slotId: number;
  /** CKF_… of CK_TOKEN_INFO (PKCS#11 v3.1 section 3.2). */
  flags: number;
}

/** Lists every slot that has a token, initialised or not. In the thread pool. Rejects with an HsmtlsError. */
export function tokens(options?: { module?: string }): Promise<TokenInfo[]>;

/**
 * What went wrong, and what to do. Ask for `code`, not for the class: a process may have several copies of this package,
 * each with a class of its own.
 */
export class HsmtlsError extends Error {
  private constructor();
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  /** The PKCS#11 module's word: "CKR_PIN_LOCKED" and the like. */
  readonly ckr?: string;
  /** OpenSSL's reason. */
  readonly opensslReason?: string;
}
