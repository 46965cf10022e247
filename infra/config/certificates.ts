import { z } from 'zod';
import { type DeployedConfig, keyTypes } from '../../lambdas/domain/contract/config.ts';
import { mostIdentifiers } from '../../lambdas/domain/rules/certificate/known-profiles.ts';
import { checkChallengeAliases } from './challenge-aliases.ts';
import { checkEndpoints } from './endpoints.ts';
import { flag, list, readFields, readValue, show, suggests, takesTokens, text, textOrToken, unread } from './fields.ts';
import type { CheckedHostedZones } from './hosted-zones.ts';
import { checkIdentifiers } from './identifiers.ts';
import { type IssuerList, readFallbacks } from './issuer-list.ts';
import type { Report, Warn } from './mistakes.ts';
import { accountOf, orPrincipal } from './references.ts';
import { checkRegions } from './regions.ts';
import { checkReplicas } from './replicas.ts';
import { checkSecretSize } from './secret-size.ts';
import { elsewhere } from './synonyms.ts';

/** Names of key types in other tools. Names such as `rsa2048` are recognised by their similarity. */
const keyTypeSynonyms = {
  ec: 'P-256',
  ec256: 'P-256',
  ecc: 'P-256',
  ecdsa: 'P-256',
  ecdsa256: 'P-256',
  ecprime256v1: 'P-256',
  prime256v1: 'P-256',
  secp256r1: 'P-256',
  ec384: 'P-384',
  ecdsa384: 'P-384',
  ecsecp384r1: 'P-384',
  secp384r1: 'P-384',
  rsa: 'RSA-2048',
} as const;

const certificateKind = {
  subject: 'a certificate',
  fields: {
    name: text(/^[a-z0-9-]{1,40}$/, '1 to 40 characters of a to z, 0 to 9 and hyphen'),
    identifiers: list('a list of DNS names').min(1, { error: 'at least one DNS name' }),
    acm: list('a list of AWS regions').default([]),
    keyType: z
      .enum(keyTypes, { error: `one of ${keyTypes.join(', ')}` })
      .default('P-256')
      .meta(suggests(keyTypes, keyTypeSynonyms)),
    profile: text(/^[!-~]+$/, 'the name of a profile of the CA, or no profile for its default').optional(),
    issuer: unread,
    fallbackIssuers: list('a list of issuers').optional(),
    reuseKey: flag.default(false),
    ignoreIssueCap: flag.default(false),
    challengeAlias: unread,
    // One call checks all endpoints, ten at a time and at most 5 s each. So 20 endpoints take 10 s of the function's 60 s.
    endpoints: list('a list of endpoints such as "www.example.com:443"')
      .max(20, { error: 'at most 20 endpoints' })
      .default([]),
    readers: list('a list of ARNs').default([]),
    replicas: list('a list of AWS regions, or of { region, encryptionKey }').default([]),
  },
  synonyms: {
    certificatename: 'name',
    domain: 'identifiers',
    domainname: 'identifiers',
    domainnames: 'identifiers',
    domains: 'identifiers',
    hostnames: 'identifiers',
    names: 'identifiers',
    sans: 'identifiers',
    subjectalternativenames: 'identifiers',
    keyalgorithm: 'keyType',
    regions: 'acm',
    ...elsewhere,
  },
};

const readerText = orPrincipal(
  textOrToken(
    /^arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)$/,
    'the ARN of a role or a user, or arn:aws:iam::<account>:root, without wildcards',
  ),
).meta(takesTokens);

type DeployedCertificate = DeployedConfig['certificates'][number];
/** A certificate with the fields that could be read. `identifiers` is missing if one of them is not a valid name. */
export type ReadCertificate = Partial<DeployedCertificate>;

export function isComplete(certificate: ReadCertificate): certificate is DeployedCertificate {
  const { name, identifiers, keyType, profile, issuers, reuseKey, ignoreIssueCap, regions, hostedZones } = certificate;
  const all = [name, identifiers, keyType, profile, issuers, reuseKey, ignoreIssueCap, regions, hostedZones];
  return !all.includes(undefined);
}

export interface CertificateContext {
  /** `undefined` if a hosted zone is invalid. The zones of the names are then not checked. */
  readonly zones: CheckedHostedZones | undefined;
  readonly issuers: IssuerList;
  /** Index of the configuration's issuer. */
  readonly defaultIssuer: number;
  /** Indices of the configuration's fallback issuers. */
  readonly fallbackIssuers: readonly number[];
  /** Region of the stack, which may be a CDK token. `undefined` without a stack. */
  readonly ownRegion: string | undefined;
  /** Account of the stack, which may be a CDK token. `undefined` without a stack. */
  readonly ownAccount: string | undefined;
  readonly report: Report;
  readonly warn: Warn;
}

export function checkCertificate(value: unknown, path: string, context: CertificateContext): ReadCertificate {
  const { report, warn } = context;
  const read = readFields(certificateKind, value, path, report) ?? {};
  const { name, keyType, profile = null, reuseKey, ignoreIssueCap, ...fields } = read;
  const issuers = checkIssuers(fields, path, context);
  const needsZones = issuers.some((index) => context.issuers.issuers[index]?.challenges.includes('dns-01'));
  const zones = needsZones ? context.zones : undefined;

  const aliases = checkChallengeAliases(fields, path, zones, report);
  const places = { zones, needsRecords: needsZones, aliases, report, warn };
  const { names, complete, hostedZones } = checkIdentifiers(fields.identifiers ?? [], `${path}.identifiers`, places);
  const most = mostIdentifiers(profile);
  if (names.length > most) {
    const withProfile = profile === null ? '' : ` with the profile ${profile}`;
    report(`${path}.identifiers`, `found ${names.length} names`, `expected at most ${most}${withProfile}`);
  }
  if (complete && keyType !== undefined) checkSecretSize(names, keyType, `${path}.identifiers`, report);
  const regions = checkRegions(fields.acm ?? [], `${path}.acm`, { ownRegion: context.ownRegion, report, warn });
  warnKeyAndProfile({ keyType, profile, regions, issuers }, path, warn);
  return {
    ...(name !== undefined && { name }),
    ...(complete && { identifiers: names }),
    ...(keyType !== undefined && { keyType }),
    profile,
    issuers,
    ...(reuseKey !== undefined && { reuseKey }),
    ...(ignoreIssueCap !== undefined && { ignoreIssueCap }),
    regions,
    hostedZones,
    ...(Object.keys(aliases).length > 0 && { challengeAliases: aliases }),
    ...someOf('endpoints', checkEndpoints(fields.endpoints ?? [], `${path}.endpoints`, { names, report, warn })),
    ...someOf('readers', checkReaders(fields.readers ?? [], `${path}.readers`, context)),
    ...someOf('replicas', checkReplicas(fields.replicas ?? [], `${path}.replicas`, report)),
  };
}

function warnKeyAndProfile(
  { keyType, profile, regions = [], issuers = [] }: ReadCertificate,
  path: string,
  warn: Warn,
): void {
  if (keyType === 'P-384' && regions.includes('us-east-1'))
    warn(
      'keyTypeOfCloudFront',
      `${path}.keyType`,
      'CloudFront accepts P-256 and RSA keys only, so no distribution can use the import into us-east-1',
    );
  if (profile && issuers.length > 1)
    warn(
      'profileOfFallbackIssuers',
      `${path}.profile`,
      `a fallback issuer that does not offer ${show(profile)} is asked for its default profile`,
    );
}

/** Returns the property only if the list has entries, which keeps config.json small. */
const someOf = <Name extends string, T>(name: Name, values: readonly T[]): { readonly [K in Name]?: readonly T[] } =>
  values.length > 0 ? ({ [name]: values } as { readonly [K in Name]?: readonly T[] }) : {};

function checkReaders(
  values: readonly unknown[],
  path: string,
  { ownAccount, report }: Pick<CertificateContext, 'ownAccount' | 'report'>,
): readonly string[] {
  const readers = values.map((value, index) => {
    const at = `${path}[${index}]`;
    const isOwn = ownAccount !== undefined && accountOf(value) === ownAccount;
    if (!isOwn) return readValue(readerText, value, at, report);
    report(at, 'found a principal of this account', 'use grantRead for it, or an IAM policy');
    return undefined;
  });
  return [...new Set(readers.filter((reader) => reader !== undefined))].sort();
}

/** Returns the indices of the issuers. The first is the certificate's own issuer or the configuration's. */
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
