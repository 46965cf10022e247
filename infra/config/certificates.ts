import { Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { z } from 'zod';
import { type DeployedConfig, type HostedZone, keyTypes } from '../../lambdas/domain/contract/config.ts';
import {
  challengeRecordName,
  identifierProblem,
  longestSuffix,
  normalizeIdentifier,
  withoutWildcard,
} from '../../lambdas/domain/rules/proof/names.ts';
import { checkChallengeAliases } from './challenge-aliases.ts';
import { checkEndpoints } from './endpoints.ts';
import {
  flag,
  list,
  type Report,
  readFields,
  readList,
  show,
  suggestion,
  takesTokens,
  text,
  unread,
} from './fields.ts';
import type { CheckedHostedZones } from './hosted-zones.ts';
import { mostIdentifiers } from './profiles.ts';
import { type IssuerList, readFallbacks } from './read-issuers.ts';
import { checkReplicas } from './replicas.ts';

const certificateShape = {
  name: text(/^[a-z0-9-]{1,40}$/, '1 to 40 characters of a to z, 0 to 9 and hyphen'),
  identifiers: list('a list of DNS names').min(1, { error: 'at least one DNS name' }),
  acm: list('a list of AWS regions').default([]),
  keyType: z.enum(keyTypes, { error: `one of ${keyTypes.join(', ')}` }).default('P-256'),
  profile: text(/^[!-~]+$/, 'the name of a profile of the CA, or nothing for its default').optional(),
  issuer: unread,
  fallbackIssuers: list('a list of issuers').optional(),
  reuseKey: flag.default(false),
  ignoreIssueCap: flag.default(false),
  challengeAlias: unread,
  // All of them are asked at once, ten at a time for 5 s at most, in a function that has 60 s: 20 take 10 s.
  endpoints: list('a list of endpoints such as "www.example.com:443"')
    .max(20, { error: 'at most 20 endpoints' })
    .default([]),
  readers: list('a list of ARNs').default([]),
  replicas: list('a list of AWS regions, or of { region, encryptionKey }').default([]),
};
const allowedIdentifier = 'a DNS name such as "www.example.com" or "*.example.com"';
const identifierText = z.string({ error: allowedIdentifier });
const allowedRegion = 'an AWS region such as "us-east-1"';
const regionText = z.string({ error: allowedRegion });
const allowedReader = 'the ARN of a role or a user, or arn:aws:iam::<account>:root, without wildcards';
const readerText = z
  .string({ error: allowedReader })
  .refine(
    (arn) => Token.isUnresolved(arn) || /^arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)$/.test(arn),
    { error: allowedReader },
  )
  .meta(takesTokens);

type DeployedCertificate = DeployedConfig['certificates'][number];
/** What can be read: `identifiers` is missing as soon as one of them is no name. */
export type ReadCertificate = Partial<DeployedCertificate>;

export function isComplete(certificate: ReadCertificate): certificate is DeployedCertificate {
  const { name, identifiers, keyType, profile, issuers, reuseKey, ignoreIssueCap, regions, hostedZones } = certificate;
  const all = [name, identifiers, keyType, profile, issuers, reuseKey, ignoreIssueCap, regions, hostedZones];
  return !all.includes(undefined);
}

export interface CertificateContext {
  /** `undefined`: not all of them could be read, so nothing is said of zones. */
  readonly zones: CheckedHostedZones | undefined;
  readonly issuers: IssuerList;
  /** Index of the config's issuer. */
  readonly defaultIssuer: number;
  /** Indices of the config's fallbacks. */
  readonly fallbackIssuers: readonly number[];
  readonly report: Report;
  readonly warn: Report;
}

export function checkCertificate(value: unknown, path: string, context: CertificateContext): ReadCertificate {
  const { report, warn } = context;
  const {
    name,
    keyType,
    profile = null,
    reuseKey,
    ignoreIssueCap,
    ...fields
  } = readFields(certificateShape, value, path, report) ?? {};
  const issuers = checkIssuers(fields, path, context);
  const needsZones = issuers.some((index) => context.issuers.issuers[index]?.challenges === 'dns-01');
  const zones = needsZones ? context.zones : undefined;

  const aliases = checkChallengeAliases(fields, path, zones, report);
  const { names, allNames, hostedZones } = checkIdentifiers(
    fields.identifiers ?? [],
    `${path}.identifiers`,
    { zones, aliases },
    context,
  );
  const most = mostIdentifiers(profile);
  if (names.length > most) {
    const withProfile = profile === null ? '' : ` with the profile ${profile}`;
    report(`${path}.identifiers`, `found ${names.length} names, allowed: at most ${most}${withProfile}`);
  }
  const regions = checkRegions(fields.acm ?? [], `${path}.acm`, context);
  if (keyType === 'P-384' && regions.includes('us-east-1'))
    warn(`${path}.keyType`, 'CloudFront takes P-256 and RSA only: no distribution can use this import into us-east-1');
  if (profile !== null && issuers.length > 1)
    warn(
      `${path}.profile`,
      `${show(profile)} is asked of the fallback issuers too, which refuse a profile they do not offer`,
    );
  return {
    ...(name !== undefined && { name }),
    ...(allNames && { identifiers: names }),
    ...(keyType !== undefined && { keyType }),
    profile,
    issuers,
    ...(reuseKey !== undefined && { reuseKey }),
    ...(ignoreIssueCap !== undefined && { ignoreIssueCap }),
    regions,
    hostedZones,
    ...(Object.keys(aliases).length > 0 && { challengeAliases: aliases }),
    ...someOf('endpoints', checkEndpoints(fields.endpoints ?? [], `${path}.endpoints`, { names, report, warn })),
    ...someOf('readers', checkReaders(fields.readers ?? [], `${path}.readers`, report)),
    ...someOf('replicas', checkReplicas(fields.replicas ?? [], `${path}.replicas`, { known: knownRegions(), report })),
  };
}

/** In the file only where there is one, for size. */
const someOf = <Name extends string, T>(name: Name, values: readonly T[]): { readonly [K in Name]?: readonly T[] } =>
  values.length > 0 ? ({ [name]: values } as { readonly [K in Name]?: readonly T[] }) : {};

function checkReaders(values: readonly unknown[], path: string, report: Report): readonly string[] {
  const readers = readList(readerText, values, path, report).filter((reader) => reader !== undefined);
  return [...new Set(readers)].sort();
}

/** Indices, the certificate's own or the config's issuer first. */
function checkIssuers(
  fields: { readonly issuer?: unknown; readonly fallbackIssuers?: readonly unknown[] | undefined },
  path: string,
  { issuers, defaultIssuer, fallbackIssuers, report }: CertificateContext,
): readonly number[] {
  const own = fields.issuer !== undefined;
  const index = own ? issuers.indexOf(fields.issuer, `${path}.issuer`) : defaultIssuer;
  if (fields.fallbackIssuers) {
    const first = { index, path: own ? `${path}.issuer` : 'issuer' };
    return [index, ...readFallbacks(fields.fallbackIssuers, `${path}.fallbackIssuers`, { issuers, first }, report)];
  }
  const staging = issuers.issuers[index]?.staging;
  return [index, ...fallbackIssuers.filter((other) => other !== index && issuers.issuers[other]?.staging === staging)];
}

interface Places {
  readonly zones: CheckedHostedZones | undefined;
  readonly aliases: Readonly<Record<string, string>>;
}

function checkIdentifiers(
  values: readonly unknown[],
  path: string,
  { zones, aliases }: Places,
  { report, warn }: CertificateContext,
) {
  /** Normalised names with the index of their first appearance. */
  const found = new Map<string, number>();
  const hostedZones = new Set<number>();
  let allNames = values.length > 0;
  for (const [index, raw] of readList(identifierText, values, path, report).entries()) {
    const at = `${path}[${index}]`;
    const name = raw === undefined ? undefined : normalizeIdentifier(raw);
    const problem = name === undefined ? null : identifierProblem(name);
    if (problem) report(at, `found ${show(raw)}, which ${problem}, allowed: ${allowedIdentifier}`);
    if (name === undefined || problem) {
      allNames = false;
      continue;
    }
    const twin = found.get(name);
    if (twin !== undefined) {
      warn(at, `${show(raw)} repeats identifiers[${twin}] and is ordered once`);
      continue;
    }
    found.set(name, index);
    if (!zones) continue;
    const zone = longestSuffix(challengeRecordName(name), zones.byName);
    // Where its CNAME leads is told, or found before each order: into a zone that is there for it.
    const delegated = aliases[withoutWildcard(name)] !== undefined || zones.hostedZones.some(isForChallenges);
    if (zone !== undefined) hostedZones.add(zone);
    else if (!delegated) report(at, `found ${show(raw)}, which lies in no hosted zone, allowed: ${zoneNames(zones)}`);
  }
  reportCovered(found, values, path, report);
  return { allNames, names: [...found.keys()].sort(), hostedZones: [...hostedZones].sort((a, b) => a - b) };
}

const isForChallenges = ({ challengesOnly }: HostedZone): boolean => challengesOnly === true;

/** Let's Encrypt answers `malformed`: the name is redundant with the wildcard in the same request. */
function reportCovered(found: ReadonlyMap<string, number>, values: readonly unknown[], path: string, report: Report) {
  for (const [name, index] of found) {
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    const at = found.get(wildcard);
    if (name.startsWith('*.') || at === undefined) continue;
    const covered = `found ${show(values[index])}, which ${show(wildcard)} (identifiers[${at}]) covers`;
    report(`${path}[${index}]`, `${covered}, allowed: one of the two, since a CA refuses both together`);
  }
}

function zoneNames({ byName }: CheckedHostedZones): string {
  const names = [...byName.keys()];
  if (names.length === 0) return 'names in hostedZones, which lists none';
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `names in ${names.slice(0, 5).join(', ')}${rest}`;
}

function checkRegions(
  values: readonly unknown[],
  path: string,
  { report, warn }: CertificateContext,
): readonly string[] {
  const regions = new Set<string>();
  for (const [index, region] of readList(regionText, values, path, report).entries()) {
    if (region === undefined) continue;
    const at = `${path}[${index}]`;
    const known = knownRegions();
    if (!known.has(region))
      report(at, `found the unknown region ${show(region)}${suggestion(region, known)}, allowed: ${allowedRegion}`);
    else if (regions.has(region)) warn(at, `${show(region)} repeats an earlier region`);
    regions.add(region);
  }
  return [...regions].sort();
}

let regionNames: ReadonlySet<string> | undefined;
/** Those that this version of aws-cdk-lib knows; read once. */
function knownRegions(): ReadonlySet<string> {
  regionNames ??= new Set(RegionInfo.regions.map(({ name }) => name));
  return regionNames;
}
