import { type KeyType, keyTypes } from './config.ts';

/**
 * The value of a certificate's secret, which is stored as JSON and replaced as a whole at each renewal. Its JSON schema is
 * `cdk-perennial/schemas/certificate-secret.schema.json`.
 */
export interface CertificateSecretValue {
  /** Version of this format. Format 1 may get new members. Existing members do not change. */
  readonly format: 1;
  /** PEM text of the leaf certificate. */
  readonly certificate: string;
  /** PEM text of the issuing CA certificates, from the issuer of the leaf upwards, without a self-signed root. It may be empty. */
  readonly chain: string;
  /** PEM text of the leaf certificate and the chain, as a TLS server sends them. */
  readonly fullChain: string;
  /** PEM text of the private key, in PKCS#8 and not encrypted. */
  readonly privateKey: string;
  /** DNS names that were ordered, in lower case and as A-labels. A wildcard begins with `*.`. */
  readonly identifiers: readonly string[];
  /** Serial number of the leaf certificate, in hexadecimal. */
  readonly serialNumber: string;
  /** Time from which the certificate is valid, in RFC 3339 and UTC. */
  readonly notBefore: string;
  /** Time at which the certificate expires, in RFC 3339 and UTC. */
  readonly notAfter: string;
  /** Distinguished name of the issuing CA certificate. */
  readonly issuer: string;
  /** Algorithm and size of the private key. */
  readonly keyType: KeyType;
  /** URL of the ACME directory of the CA. */
  readonly directoryUrl: string;
  /** Profile that was ordered (draft-ietf-acme-profiles), or `null` for the default of the CA. */
  readonly profile: string | null;
}

export type { KeyType };

/**
 * Thrown when a secret's value has no certificate that can be read. The message never shows the value, which may have a private key in it.
 * `reason` says who has to act.
 */
export class CertificateSecretError extends Error {
  override name = 'CertificateSecretError';
  /**
   * Why the value cannot be read.
   *
   * - `empty`: no certificate has been issued yet. The caller can retry after some minutes.
   * - `format`: the secret is not a certificate's secret, or its format is newer than this reader. The caller has to use another secret or
   * a newer reader.
   * - `incomplete`: members are missing or invalid. The operator has to restore the secret or force a renewal.
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

/** Returns for each member whether its value is valid, as `schemas/certificate-secret.schema.json` says. */
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
 * Parses and checks the `SecretString` of a certificate's secret. Unknown members are left out.
 *
 * @throws CertificateSecretError if the text has no certificate in it
 *
 * @example
 * const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 'certificates/www' }));
 * const { fullChain, privateKey } = parseCertificateSecret(SecretString ?? '');
 */
export function parseCertificateSecret(text: string): CertificateSecretValue {
  const value = objectOf(text);
  if (value?.format === 0)
    throw new CertificateSecretError(
      'empty',
      'The secret has no certificate yet (format 0). Try again after the certificate is issued.',
    );
  if (value?.format !== 1) {
    // Another kind of value may have a password in any member, so the message shows only a number.
    const found = typeof value?.format === 'number' ? `has format ${value.format}` : 'is not a certificate secret';
    throw new CertificateSecretError('format', `The secret's value ${found}. This reader reads format 1.`);
  }
  const wrong = Object.entries(members).flatMap(([name, isRight]) =>
    isRight(value[name]) ? [] : `${name} ${value[name] === undefined ? 'is missing' : 'is invalid'}`,
  );
  if (wrong.length > 0)
    throw new CertificateSecretError('incomplete', `The secret's value cannot be used: ${wrong.join(', ')}.`);
  const known = Object.fromEntries(Object.keys(members).map((name) => [name, value[name]]));
  return { format: 1, ...known } as CertificateSecretValue;
}

/**
 * Returns the JSON object, or `null` for any other text. The error of the JSON parser is not passed on, because it shows a part of the
 * value.
 */
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
