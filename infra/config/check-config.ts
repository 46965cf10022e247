import { Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { z } from 'zod';
import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import type { Tags } from '../../lambdas/domain/contract/environment.ts';
import { checkNames, checkSets } from './certificate-sets.ts';
import { checkCertificate, isComplete } from './certificates.ts';
import { configFields, configSynonyms, removalPolicy, rootServer } from './config-fields.ts';
import { type Fields, readFields, readList } from './fields.ts';
import { checkFleetSize } from './fleet-size.ts';
import { checkHostedZones } from './hosted-zones.ts';
import { type IssuerList, issuerList, readFallbacks } from './issuer-list.ts';
import { type Report, type Warn, type Warning, withoutMistakes } from './mistakes.ts';
import { type CheckedMonitoring, readMonitoring } from './monitoring.ts';
import { type CheckedNotifications, readNotifications } from './notifications.ts';
import { checkPartition } from './partitions.ts';
import { readTagsField } from './runtime-tags.ts';
import { checkInterval } from './schedule.ts';
import { accountSecretPrefix } from './secret-prefix.ts';
import { serializeConfig } from './serialize-config.ts';
import { checkStack, checkTokens, type StackContext } from './stack-mistakes.ts';
import { warnYearlyImports } from './yearly-imports.ts';
import { checkZoneLimits } from './zone-limits.ts';

export interface CheckedConfig {
  /** Normalised. Hosted zone ids and ARNs may be CDK tokens. */
  readonly deployed: DeployedConfig;
  /** PEM texts of the roots that are trusted for an issuer, by the URL of its directory. Issuers without roots are absent. */
  readonly trustedRoots: Readonly<Record<string, string>>;
  /** Indices of the issuers whose certificates browsers do not trust. */
  readonly untrustedIssuers: ReadonlySet<number>;
  /** Customer's KMS keys of the secrets with external account bindings, as far as they are known. */
  readonly bindingKeys: ReadonlySet<IKey>;
  /** Hosted zone ids and ARNs that the deployment resolves, in the order of `serializeConfig`. */
  readonly tokens: readonly string[];
  /** The tags of the configuration. */
  readonly tags: Tags;
  readonly secretPrefix: string;
  readonly accountSecretPrefix: string;
  readonly rootServers: readonly string[];
  /** Renewals that a fleet run starts in a second. */
  readonly pace: number;
  /** Whom to notify. `undefined` for no one. */
  readonly notifications: CheckedNotifications | undefined;
  /** Thresholds of the alarms. `false` for no alarm. */
  readonly monitoring: CheckedMonitoring | false;
  /** Sentences that begin with the path of the field. */
  readonly warnings: readonly Warning[];
}

/** How the object is read, where that differs between the config file and the construct. */
export interface CheckOptions {
  /** @default the ARN of a KMS key, as in the config file */
  readonly encryptionKey?: z.ZodType;
  /** @default unknown: what depends on the stack is not checked */
  readonly stack?: StackContext;
}

/**
 * Checks and normalises a whole configuration.
 *
 * @throws ConfigError with every mistake at once
 */
export function checkConfig(config: unknown, options: CheckOptions = {}): CheckedConfig {
  return withoutMistakes((report) => readConfig(config, options, report));
}

function readConfig(
  config: unknown,
  { encryptionKey, stack }: CheckOptions,
  report: Report,
): CheckedConfig | undefined {
  const { warn, warnings } = collectWarnings(config);
  const keys = encryptionKey ? { ...configFields, encryptionKey, removalPolicy } : configFields;
  const fields = readFields(
    { subject: 'the configuration', fields: keys, synonyms: configSynonyms },
    config,
    '',
    report,
  );
  if (!fields) return undefined;
  const issuers = issuerList(report);
  const { hostedZones, certificates } = readCertificates(fields, {
    issuers,
    own: stack && Stack.of(stack.scope),
    report,
    warn,
  });
  const { secretPrefix, schedule: interval, pace: startsPerSecond } = fields;
  const rootServers = readList(rootServer, fields.rootServers, 'rootServers', report);
  const tags = readTagsField(fields.tags, report);
  const monitoring = readMonitoring(fields.monitoring, report);
  if (interval) checkInterval(interval, certificates, issuers.issuers, report);
  const notifications = readNotifications(
    fields.notifications,
    { topics: encryptionKey !== undefined, region: stack && Stack.of(stack.scope).region },
    report,
  );
  const given = config as { readonly encryptionKey?: unknown };
  const { encryptionKey: key } = given;
  if (stack) {
    checkStack({ certificates, secretPrefix, encryptionKey: key }, stack, report);
    const { region } = Stack.of(stack.scope);
    const all = { certificates, hostedZones: hostedZones ?? [], issuers: issuers.issuers, encryptionKey: key };
    checkPartition(all, region, report);
  }
  if (!hostedZones || !secretPrefix || !interval || !startsPerSecond || !certificates.every(isComplete))
    return undefined;

  const deployed: DeployedConfig = {
    format: 1,
    checkInterval: interval,
    issuers: issuers.issuers,
    hostedZones,
    certificates,
  };
  const { tokens, json } = serializeConfig(deployed);
  checkTokens(deployed, tokens, report);
  checkZoneLimits(deployed, report);
  checkFleetSize(deployed, { json, pace: startsPerSecond }, report);
  return {
    deployed,
    trustedRoots: issuers.trustedRoots,
    untrustedIssuers: issuers.untrusted,
    bindingKeys: issuers.bindingKeys,
    tokens,
    tags,
    secretPrefix,
    accountSecretPrefix: accountSecretPrefix(secretPrefix),
    pace: startsPerSecond,
    monitoring,
    rootServers: rootServers.filter((server) => server !== undefined),
    notifications,
    warnings,
  };
}

/** Returns a list of warnings and the function that adds to it. The id of a warning names the certificate, so that one of them can be acknowledged. */
function collectWarnings(config: unknown): { readonly warn: Warn; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  const warn: Warn = (kind, path, sentence) => {
    const [, index] = /^certificates\[(\d+)\]/.exec(path) ?? [];
    const { certificates } = config as { readonly certificates: readonly { readonly name?: unknown }[] };
    const subject = index === undefined ? '' : `:${certificates[Number(index)]?.name}`;
    warnings.push({ id: `perennial:${kind}${subject}`, text: `${path}: ${sentence}` });
  };
  return { warn, warnings };
}

interface Readers {
  /** The stack of the construct, or `undefined` without a stack. */
  readonly own: Stack | undefined;
  readonly issuers: IssuerList;
  readonly report: Report;
  readonly warn: Warn;
}

type CertificateFields = Pick<
  Fields<typeof configFields>,
  'issuer' | 'fallbackIssuers' | 'hostedZones' | 'certificates'
>;

/** Reads the certificates with the issuers and hosted zones that they use. */
function readCertificates(fields: CertificateFields, { issuers, own, report, warn }: Readers) {
  const first = { index: issuers.indexOf(fields.issuer, 'issuer'), path: 'issuer' };
  const fallbackIssuers = readFallbacks(fields.fallbackIssuers ?? [], 'fallbackIssuers', { issuers, first }, report);
  const zones = fields.hostedZones && checkHostedZones(fields.hostedZones, report);
  // If any hosted zone is invalid, the zones of the names are not checked, because the zone of a name cannot be determined.
  const valid = zones?.hostedZones.every(({ name }) => name !== '');
  const context = {
    zones: valid ? zones : undefined,
    issuers,
    defaultIssuer: first.index,
    fallbackIssuers,
    ownRegion: own?.region,
    ownAccount: own?.account,
    report,
    warn,
  };
  const certificates = (fields.certificates ?? []).map((value, index) =>
    checkCertificate(value, `certificates[${index}]`, context),
  );
  checkNames(certificates, report);
  checkSets(certificates, issuers.issuers, report);
  warnYearlyImports(certificates, issuers.issuers, warn);
  return { hostedZones: zones?.hostedZones, certificates };
}
