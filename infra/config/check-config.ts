import { isIP } from 'node:net';
import { Token } from 'aws-cdk-lib';
import { z } from 'zod';
import type { DeployedConfig, KeyType } from '../../lambdas/domain/contract/config.ts';
import { checkNames, checkSets } from './certificate-sets.ts';
import { checkCertificate, isComplete } from './certificates.ts';
import { list, type Report, readFields, readList, text, unread } from './fields.ts';
import { checkHostedZones } from './hosted-zones.ts';
import type { AcmeIssuer } from './issuers.ts';
import { issuerList, readFallbacks } from './read-issuers.ts';
import { checkInterval, schedule } from './schedule.ts';
import { warnYearlyImports } from './yearly-imports.ts';

export interface HostedZoneConfig {
  /** Of a public hosted zone of this account, `Z...`. May be a CDK token. */
  readonly id: string;
  /** `example.com`: upper case, a trailing dot and Unicode are normalised. */
  readonly name: string;
  /**
   * ARN of a role in the zone's account, made there by `ChallengeRole`; assumed by the challenge function alone. May be a CDK token.
   *
   * @default none: the zone is of the account that this is deployed in
   */
  readonly roleArn?: string;
  /**
   * The external id that the role's trust policy asks for.
   *
   * @default none
   */
  readonly externalId?: string;
  /**
   * Nothing but challenges is in this zone: TXT records of any name may be written, so that any CNAME of `_acme-challenge.<name>` may
   * lead into it. In other zones only names that begin with `_acme-challenge.` are written.
   *
   * @default false
   */
  readonly challengesOnly?: boolean;
}

export interface ReplicaConfig {
  readonly region: string;
  /**
   * ARN of a KMS key of that region. May be a CDK token.
   *
   * @default `aws/secretsmanager` of that region
   */
  readonly encryptionKey?: string;
}

export interface CertificateConfig {
  /**
   * 1 to 40 characters of a to z, 0 to 9 and hyphen; unique. The secret is `secretPrefix` with this name behind it. A new name is
   * a new certificate.
   */
  readonly name: string;
  /**
   * DNS names, a wildcard as `*.example.com`, which does not cover `example.com` itself. Upper case, trailing dots and Unicode are
   * normalised, and the order does not matter. At most 100, 25 with the profiles `tlsserver` and `shortlived`.
   */
  readonly identifiers: readonly string[];
  /**
   * Regions whose ACM the certificate is imported into. CloudFront needs `us-east-1`; load balancers and API Gateway their own.
   *
   * @default none: the certificate is in Secrets Manager only
   */
  readonly acm?: readonly string[];
  /**
   * CloudFront takes P-256 and RSA, not P-384. A change of it means a new ARN in ACM.
   *
   * @default 'P-256'
   */
  readonly keyType?: KeyType;
  /**
   * Profile of the CA, such as Let's Encrypt's `tlsserver` (draft-ietf-acme-profiles).
   *
   * @default the CA's own default
   */
  readonly profile?: string;
  /**
   * Another CA for this certificate.
   *
   * @default the `issuer` of the config
   */
  readonly issuer?: AcmeIssuer;
  /**
   * CAs to ask in this order when the one before has failed three times in a row for reasons that are not yours to mend; an empty
   * list for none. After a success the first is asked again. A certificate from any of them is as good as from the first.
   *
   * @default those of the config, without this certificate's own issuer and those of the other kind (staging or not)
   */
  readonly fallbackIssuers?: readonly AcmeIssuer[];
  /**
   * Keeps the private key at each renewal, for those who pin it: a key that leaks serves for longer. A change of key type makes a
   * new one.
   *
   * @default false: a new key for every certificate
   */
  readonly reuseKey?: boolean;
  /**
   * Lets more than two certificates of one set of names be ordered in 24 hours. Let's Encrypt issues five in seven days, whatever
   * the reason (https://letsencrypt.org/docs/rate-limits): set it for as long as you need it.
   *
   * @default false
   */
  readonly ignoreIssueCap?: boolean;
  /**
   * Where the CNAME at `_acme-challenge.<name>` leads, when it shall not be looked up: one name for all identifiers, or one for each (a
   * wildcard by the name behind its star). It has to lie in one of `hostedZones`.
   *
   * @default looked up at the name's own servers before each order
   */
  readonly challengeAlias?: string | Readonly<Record<string, string>>;
  /**
   * Servers that serve this certificate, as `www.example.com:443` (the port may be left out). After each delivery and once a day they
   * are asked by a TLS handshake which certificate they show. At most 20.
   *
   * @default none
   */
  readonly endpoints?: readonly string[];
  /**
   * ARNs of principals in other accounts (roles, users, or `arn:aws:iam::<account>:root`) that may read the secret. They need
   * `encryptionKey`, since AWS's own keys serve one account only, and a policy on their side as well. May be CDK tokens.
   *
   * @default none: IAM of this account decides
   */
  readonly readers?: readonly string[];
  /**
   * Other regions that Secrets Manager copies the secret to.
   *
   * @default none
   */
  readonly replicas?: readonly (string | ReplicaConfig)[];
}

/** What an operator writes: the export of the config file. */
export interface PerennialConfig {
  /** Who issues. No default: `letsEncryptStaging(...)` first, then `letsEncrypt(...)`. */
  readonly issuer: AcmeIssuer;
  /**
   * CAs to ask in this order when the one before has failed three times in a row for reasons that are not yours to mend. Allow all of
   * them in your CAA records.
   *
   * @default none
   */
  readonly fallbackIssuers?: readonly AcmeIssuer[];
  /**
   * The zones that proofs are written into. A name belongs to the zone whose name is its longest suffix.
   *
   * @default none, which only issuers with `challenges: 'none'` allow
   */
  readonly hostedZones?: readonly HostedZoneConfig[];
  /** At least one. */
  readonly certificates: readonly CertificateConfig[];
  /**
   * What the names of certificates' secrets begin with; ends in a slash. Account keys lie beside them: `certificates-accounts/`.
   *
   * @default 'certificates/'
   */
  readonly secretPrefix?: string;
  /**
   * How often the fleet workflow runs: `rate(...)` in minutes, hours or days. Eight runs must fit between the renewal time of a
   * certificate and its expiry: at least every 10 h with the profile `shortlived`, every 45 h with Let's Encrypt's other profiles. Where
   * the lifetime is not known: at least every 3 days.
   *
   * @default 'rate(6 hours)'
   */
  readonly schedule?: string;
  /**
   * ARN of a KMS key of yours, in the stack's region, for certificate and account secrets, the ledger and all logs. Secrets that are
   * there already keep the key that they have. Its policy has to let IAM policies of the account decide, as the default one does, and
   * allow `logs.<region>.amazonaws.com` to encrypt and decrypt:
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   *
   * @default keys of AWS's
   */
  readonly encryptionKey?: string;
  /**
   * Where the look-up of authoritative name servers begins, as `address` or `address:port`: for a laboratory with a DNS of its own.
   *
   * @default the root servers of the Internet
   */
  readonly rootServers?: readonly string[];
}

/** Returns its argument: gives the config file's default export its type. */
export function defineConfig(config: PerennialConfig): PerennialConfig {
  return config;
}

/** Every mistake of a config, one line each. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}

export interface CheckedConfig {
  /** Normalised, with hosted zone ids as given. */
  readonly deployed: DeployedConfig;
  /** PEM certificates of all issuers, each once. */
  readonly trustedRoots: readonly string[];
  /** Indices of the issuers whose certificates browsers do not trust. */
  readonly untrustedIssuers: ReadonlySet<number>;
  /** Hosted zone ids and ARNs that the deployment resolves, in the order of `serializeConfig`. */
  readonly tokens: readonly string[];
  readonly secretPrefix: string;
  readonly accountSecretPrefix: string;
  readonly rootServers: readonly string[];
  /** Sentences with a path, as in the error. */
  readonly warnings: readonly string[];
}

/** As long as the names of secrets behind it may be. */
export const secretPrefixPattern = /^[A-Za-z0-9/_+=.@-]{0,399}[A-Za-z0-9_+=.@-]\/$/;

const configShape = {
  issuer: unread,
  fallbackIssuers: list('a list of issuers').default([]),
  hostedZones: list('a list of hosted zones').default([]),
  certificates: list('a list of certificates').min(1, { error: 'at least one certificate' }),
  // A secret's name is 512 characters at most. The slash keeps `certificates/*` in a policy apart from its neighbours.
  secretPrefix: text(
    secretPrefixPattern,
    'at most 401 characters of A to Z, a to z, 0 to 9 and /_+=.@- that end in one slash',
  ).default('certificates/'),
  schedule,
  rootServers: list('a list of addresses such as "192.0.2.53" or "192.0.2.53:5353"').default([]),
};

const serverAddress = z
  .string({ error: 'an address such as "192.0.2.53" or "[2001:db8::53]:5353"' })
  .refine((text) => isIP(text) !== 0 || /^(\d+(\.\d+){3}|\[[0-9a-f:]+\]):\d{1,5}$/i.test(text), {
    error: 'an address such as "192.0.2.53" or "[2001:db8::53]:5353"',
  });

/**
 * Checks and normalises a whole config.
 *
 * @param otherKeys keys of the same object that somebody else reads
 * @throws ConfigError with every mistake at once
 */
export function checkConfig(config: unknown, otherKeys: readonly string[] = []): CheckedConfig {
  const mistakes: string[] = [];
  const warnings: string[] = [];
  const report: Report = (path, sentence) => mistakes.push(`${path}: ${sentence}`);
  const warn: Report = (path, sentence) => warnings.push(`${path}: ${sentence}`);

  const fields = readFields(configShape, config, '', report, otherKeys);
  if (!fields) throw new ConfigError(mistakes);
  const issuers = issuerList(report);
  const defaultIssuer = issuers.indexOf(fields.issuer, 'issuer');
  const fallbackIssuers = readFallbacks(
    fields.fallbackIssuers ?? [],
    'fallbackIssuers',
    { issuers, first: { index: defaultIssuer, path: 'issuer' } },
    report,
  );
  const zones = fields.hostedZones && checkHostedZones(fields.hostedZones, report);
  // What lies in a zone that could not be read, nobody knows.
  const known = zones?.hostedZones.every(({ name }) => name !== '');
  const context = { zones: known ? zones : undefined, issuers, defaultIssuer, fallbackIssuers, report, warn };
  const certificates = (fields.certificates ?? []).map((value, index) =>
    checkCertificate(value, `certificates[${index}]`, context),
  );
  checkNames(certificates, report);
  checkSets(certificates, issuers.issuers, report);
  warnYearlyImports(certificates, issuers.issuers, warn);
  const rootServers = readList(serverAddress, fields.rootServers, 'rootServers', report);
  const { secretPrefix, schedule: interval } = fields;
  if (interval) checkInterval(interval, certificates, issuers.issuers, report);
  if (mistakes.length > 0 || !zones || !secretPrefix || !interval || !certificates.every(isComplete))
    throw new ConfigError(mistakes);

  const { hostedZones } = zones;
  const deployed: DeployedConfig = {
    format: 1,
    checkInterval: interval,
    issuers: issuers.issuers,
    hostedZones,
    certificates,
  };
  return {
    deployed,
    trustedRoots: [...issuers.trustedRoots],
    untrustedIssuers: issuers.untrusted,
    tokens: serializeConfig(deployed).tokens,
    secretPrefix,
    accountSecretPrefix: secretPrefix.replace(/\/$/, '-accounts/'),
    rootServers: rootServers.filter((server) => server !== undefined),
    warnings,
  };
}

/** The file `config.json` and, in order, the tokens that its `@n` stand for; `resolveTokens` puts them back at run time. */
export function serializeConfig(deployed: DeployedConfig): {
  readonly json: string;
  readonly tokens: readonly string[];
} {
  const tokens: string[] = [];
  const place = <T extends string | null>(value: T): T | string =>
    value !== null && Token.isUnresolved(value) ? `@${tokens.push(value) - 1}` : value;
  const hostedZones = deployed.hostedZones.map((zone) => ({
    ...zone,
    id: place(zone.id),
    ...(zone.role && { role: { ...zone.role, arn: place(zone.role.arn) } }),
  }));
  const certificates = deployed.certificates.map((certificate) => ({
    ...certificate,
    ...(certificate.readers && { readers: certificate.readers.map(place) }),
    ...(certificate.replicas && {
      replicas: certificate.replicas.map((each) => ({ ...each, encryptionKey: place(each.encryptionKey) })),
    }),
  }));
  const issuers = deployed.issuers.map((issuer) => ({
    ...issuer,
    externalAccountBinding: place(issuer.externalAccountBinding),
  }));
  return { json: JSON.stringify({ ...deployed, issuers, hostedZones, certificates }), tokens };
}
