import { Token } from 'aws-cdk-lib';
import type { DeployedConfig, KeyType } from '../lambdas/rules/contract.ts';
import { checkNames, checkSchedule, checkSets } from './config/certificate-sets.ts';
import { checkCertificate, isComplete } from './config/certificates.ts';
import { list, type Report, readFields, text, unread } from './config/fields.ts';
import { checkHostedZones } from './config/hosted-zones.ts';
import { issuerList, readFallbacks } from './config/issuers.ts';
import type { AcmeIssuer } from './issuers.ts';

export interface HostedZoneConfig {
  /** Of a public hosted zone of this account, `Z...`. May be a CDK token. */
  readonly id: string;
  /** `example.com`: upper case, a trailing dot and Unicode are normalised. */
  readonly name: string;
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
}

/** What an operator writes: the config file's export and the construct's props. */
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
   * When the fleet is checked: `rate(...)` or `cron(...)` of EventBridge Scheduler, in UTC. Eight checks have to fit between the time
   * a certificate is due and its expiry, where its lifetime is known: 10 h with the profile `shortlived`.
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
  /** Hosted zone ids and ARNs that the deployment resolves, in the order of `serializeConfig`. */
  readonly tokens: readonly string[];
  readonly secretPrefix: string;
  readonly accountSecretPrefix: string;
  readonly schedule: string;
  /** Sentences with a path, as in the error. */
  readonly warnings: readonly string[];
}

const configShape = {
  issuer: unread,
  fallbackIssuers: list('a list of issuers').default([]),
  hostedZones: list('a list of hosted zones').default([]),
  certificates: list('a list of certificates').min(1, { error: 'at least one certificate' }),
  // A secret's name is 512 characters at most. The slash keeps `certificates/*` in a policy apart from its neighbours.
  secretPrefix: text(
    /^[A-Za-z0-9/_+=.@-]{0,399}[A-Za-z0-9_+=.@-]\/$/,
    'at most 401 characters of A to Z, a to z, 0 to 9 and /_+=.@- that end in one slash',
  ).default('certificates/'),
  schedule: text(
    /^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\([^()]+\))$/,
    'rate(...) in minutes, hours or days, or cron(...)',
  ).default('rate(6 hours)'),
};

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
  const context = { zones, issuers, defaultIssuer, fallbackIssuers, report, warn };
  const certificates = (fields.certificates ?? []).map((value, index) =>
    checkCertificate(value, `certificates[${index}]`, context),
  );
  checkNames(certificates, report);
  checkSets(certificates, issuers.issuers, report);
  const { secretPrefix, schedule } = fields;
  const interval = schedule === undefined ? null : checkSchedule(schedule, certificates, issuers.issuers, report);
  if (mistakes.length > 0 || !zones || !secretPrefix || !schedule || !interval || !certificates.every(isComplete))
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
    tokens: serializeConfig(deployed).tokens,
    secretPrefix,
    accountSecretPrefix: secretPrefix.replace(/\/$/, '-accounts/'),
    schedule,
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
  const hostedZones = deployed.hostedZones.map((zone) => ({ ...zone, id: place(zone.id) }));
  const issuers = deployed.issuers.map((issuer) => ({
    ...issuer,
    externalAccountBinding: place(issuer.externalAccountBinding),
  }));
  return { json: JSON.stringify({ ...deployed, issuers, hostedZones }), tokens };
}
