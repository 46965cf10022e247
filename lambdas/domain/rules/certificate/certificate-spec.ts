import { createHash } from 'node:crypto';
import type { CertificateSpec, DeployedConfig } from '../../contract/config.ts';
import { tagsHash } from './resource-tags.ts';

type Entry = DeployedConfig['certificates'][number];

/** The certificates of a configuration by name. A fleet may have 100,000, so a list is not searched for each of them. */
const indexes = new WeakMap<DeployedConfig, ReadonlyMap<string, Entry>>();

function indexOf(config: DeployedConfig): ReadonlyMap<string, Entry> {
  const index = indexes.get(config) ?? new Map(config.certificates.map((entry) => [entry.name, entry]));
  indexes.set(config, index);
  return index;
}

/** The hash of the operator's tags is the same for all certificates of a configuration. */
const tagFields = new WeakMap<DeployedConfig, Pick<CertificateSpec, 'tagsHash'>>();

function tagFieldOf(config: DeployedConfig): Pick<CertificateSpec, 'tagsHash'> {
  const known = tagFields.get(config);
  if (known) return known;
  const hash = tagsHash(config.tags ?? {});
  const field = hash === undefined ? {} : { tagsHash: hash };
  tagFields.set(config, field);
  return field;
}

/** Returns a certificate with everything that it refers to, or `undefined` if no certificate of this name is configured. */
export function specOf(config: DeployedConfig, name: string): CertificateSpec | undefined {
  const entry = indexOf(config).get(name);
  if (!entry) return undefined;
  const issuers = entry.issuers.map((index) => at(config.issuers, index, 'issuer'));
  const issuer = at(issuers, 0, 'issuer');
  const { identifiers, keyType, profile } = entry;
  // The role is left out, because the one step that needs it receives all zones with their roles.
  const hostedZones = entry.hostedZones.map((index) => {
    const { role: _, ...zone } = at(config.hostedZones, index, 'hosted zone');
    return zone;
  });
  return {
    ...entry,
    issuer,
    issuers,
    hostedZones,
    ...tagFieldOf(config),
    specHash: specHash({ identifiers, keyType, profile, directoryUrl: issuer.directoryUrl }),
    setHash: setHash(issuer.directoryUrl, identifiers),
  };
}

function at<T>(list: readonly T[], index: number, what: string): T {
  const entry = list[index];
  if (entry === undefined)
    throw new Error(`config.json refers to ${what} ${index}, which does not exist. Deploy again.`);
  return entry;
}

/** The fields of version 1 of the spec hash. */
export interface HashedFields extends Pick<CertificateSpec, 'identifiers' | 'keyType' | 'profile'> {
  readonly directoryUrl: string;
}

/**
 * Returns the SHA-256 in hex over version 1 of the fields whose change causes a new order. A field of a later version is added only if it differs
 * from its default. Then certificates that do not use it keep their hashes, and an upgrade causes no orders.
 */
export function specHash({ identifiers, keyType, directoryUrl, profile }: HashedFields): string {
  return sha256({ version: 1, identifiers: identifiers.toSorted(), keyType, directoryUrl, profile });
}

/** Returns the SHA-256 in hex over directory URL and identifiers. CAs limit certificates per exact set of identifiers, for any key or profile. */
export function setHash(directoryUrl: string, identifiers: readonly string[]): string {
  return sha256({ version: 1, directoryUrl, identifiers: identifiers.toSorted() });
}

function sha256(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** Returns the configuration with each `@n` in ids and ARNs replaced by the value that token n has at run time. */
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
      // The region of the stack may be listed as a token and by its name.
      regions: [...new Set(certificate.regions.map(resolve))],
      ...(certificate.readers && { readers: certificate.readers.map(resolve) }),
      ...(certificate.replicas && {
        replicas: certificate.replicas.map((each) => ({ ...each, encryptionKey: resolve(each.encryptionKey) })),
      }),
    })),
  };
}
