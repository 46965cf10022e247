import { type KeyType, keyTypes } from './config.ts';

/** The public format of a certificate secret. PEM; times RFC 3339. */
export interface CertificateSecretValue {
  readonly format: 1;
  /** Leaf. */
  readonly certificate: string;
  /** Issuers upward, each once, without a self-signed root. */
  readonly chain: string;
  /** Leaf and chain. */
  readonly fullChain: string;
  /** PKCS#8. */
  readonly privateKey: string;
  readonly identifiers: readonly string[];
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuer: string;
  readonly keyType: KeyType;
  readonly directoryUrl: string;
  readonly profile: string | null;
}

export type { KeyType };

/** A secret's value that holds no certificate to be read. Its message never shows the value, which may hold a key. */
export class CertificateSecretError extends Error {
  override name = 'CertificateSecretError';
  /**
   * `empty`: no certificate has been issued yet, worth another look in some minutes. `format`: not a certificate's secret, or of a
   * format that is newer than this reader. `incomplete`: members are missing or wrong.
   */
  readonly reason: 'empty' | 'format' | 'incomplete';

  constructor(reason: CertificateSecretError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isTime = (value: unknown): boolean => typeof value === 'string' && time.test(value);

/** What each member has to be; as in `schemas/certificate-secret.schema.json`. */
const members: Readonly<Record<Exclude<keyof CertificateSecretValue, 'format'>, (value: unknown) => boolean>> = {
  certificate: isText,
  chain: (value) => typeof value === 'string',
  fullChain: isText,
  privateKey: isText,
  identifiers: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  serialNumber: (value) => typeof value === 'string' && /^[0-9A-Fa-f]+$/.test(value),
  notBefore: isTime,
  notAfter: isTime,
  issuer: isText,
  keyType: (value) => keyTypes.some((known) => known === value),
  directoryUrl: isText,
  profile: (value) => value === null || isText(value),
};

/**
 * The `SecretString` of a certificate's secret, checked. Members that are not known are left out.
 *
 * @throws CertificateSecretError when there is no certificate in it
 */
export function parseCertificateSecret(text: string): CertificateSecretValue {
  const value = objectOf(text);
  if (value?.format === 0) throw new CertificateSecretError('empty', 'The secret holds no certificate yet (format 0).');
  if (value?.format !== 1) {
    // A value of another sort may hold somebody's password anywhere: only a number is told.
    const found = typeof value?.format === 'number' ? `is of format ${value.format}` : 'is no certificate secret';
    throw new CertificateSecretError('format', `The secret's value ${found}, and this reader knows format 1.`);
  }
  const wrong = Object.entries(members).flatMap(([name, isRight]) =>
    isRight(value[name]) ? [] : `${name} ${value[name] === undefined ? 'is missing' : 'is not as it should be'}`,
  );
  if (wrong.length > 0) throw new CertificateSecretError('incomplete', `In the secret's value, ${wrong.join(', ')}.`);
  const known = Object.fromEntries(Object.keys(members).map((name) => [name, value[name]]));
  return { format: 1, ...known } as CertificateSecretValue;
}

/** `null`: no JSON object. The parser's own error would show a piece of the value. */
function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
