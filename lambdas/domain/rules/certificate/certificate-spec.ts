import { createHash } from 'node:crypto';
import type { CertificateSpec, DeployedConfig } from '../../contract/config.ts';

/** Certificates in one call of *Check fleet*: as many as BatchGetItem takes keys. */
export const batchSize = 100;

export function batchCount(config: DeployedConfig): number {
  return Math.ceil(config.certificates.length / batchSize);
}

/** Names of the certificates of a batch, 0-based. */
export function batchNames(config: DeployedConfig, batch: number): readonly string[] {
  return config.certificates.slice(batch * batchSize, (batch + 1) * batchSize).map(({ name }) => name);
}

/** The certificate with all that it refers to; `undefined`: no certificate of that name is configured. */
export function specOf(config: DeployedConfig, name: string): CertificateSpec | undefined {
  const entry = config.certificates.find((certificate) => certificate.name === name);
  if (!entry) return undefined;
  const issuers = entry.issuers.map((index) => at(config.issuers, index, 'issuer'));
  const issuer = at(issuers, 0, 'issuer');
  const { identifiers, keyType, profile } = entry;
  // Roles are handed over with all zones, to the one step that needs them.
  const hostedZones = entry.hostedZones.map((index) => {
    const { role: _, ...zone } = at(config.hostedZones, index, 'hosted zone');
    return zone;
  });
  return {
    ...entry,
    issuer,
    issuers,
    hostedZones,
    specHash: specHash({ identifiers, keyType, profile, directoryUrl: issuer.directoryUrl }),
    setHash: setHash(issuer.directoryUrl, identifiers),
  };
}

function at<T>(list: readonly T[], index: number, what: string): T {
  const entry = list[index];
  if (entry === undefined)
    throw new Error(`config.json refers to ${what} ${index}, which it does not hold: deploy again.`);
  return entry;
}

export interface HashedFields extends Pick<CertificateSpec, 'identifiers' | 'keyType' | 'profile'> {
  readonly directoryUrl: string;
}

/**
 * sha256 hex over version 1 of the fields whose change reissues. A later field is added only where it differs from its
 * default: the hashes of certificates that do not use it stay, and an upgrade reissues nothing.
 */
export function specHash({ identifiers, keyType, directoryUrl, profile }: HashedFields): string {
  return sha256({ version: 1, identifiers: identifiers.toSorted(), keyType, directoryUrl, profile });
}

/** sha256 hex of directory and identifiers: the key of the "exact set" limit that CAs have, whatever the key or profile. */
export function setHash(directoryUrl: string, identifiers: readonly string[]): string {
  return sha256({ version: 1, directoryUrl, identifiers: identifiers.toSorted() });
}

function sha256(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** The config with each `@n` among hosted zone ids and ARNs replaced by the nth token's value at run time. */
export function resolveTokens(config: DeployedConfig, tokens: readonly string[]): DeployedConfig {
  const resolve = <T extends string | null>(value: T): T | string => {
    const index = /^@(\d+)$/.exec(value ?? '')?.[1];
    return index === undefined ? value : at(tokens, Number(index), 'token');
  };
  return {
    ...config,
    issuers: config.issuers.map((issuer) => ({
      ...issuer,
      externalAccountBinding: resolve(issuer.externalAccountBinding),
    })),
    hostedZones: config.hostedZones.map((zone) => ({
      ...zone,
      id: resolve(zone.id),
      ...(zone.role && { role: { ...zone.role, arn: resolve(zone.role.arn) } }),
    })),
    certificates: config.certificates.map((certificate) => ({
      ...certificate,
      ...(certificate.readers && { readers: certificate.readers.map(resolve) }),
      ...(certificate.replicas && {
        replicas: certificate.replicas.map((each) => ({ ...each, encryptionKey: resolve(each.encryptionKey) })),
      }),
    })),
  };
}
