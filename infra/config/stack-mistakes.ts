import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import type { ReadCertificate } from './certificates.ts';
import type { Report } from './mistakes.ts';
import { accountSecretPrefix } from './secret-prefix.ts';

/** Characters for CDK tokens in a function's environment. Of its 4 KB the rest is for other variables. */
const mostTokenCharacters = 3500;

interface OtherRenewal extends Construct {
  readonly secretPrefix: string;
}

/** Where a configuration is deployed. */
export interface StackContext {
  readonly scope: Construct;
  /** Every other `CertificateRenewal` of the same app. */
  readonly others: readonly OtherRenewal[];
}

/** The fields that the stack restricts, as far as they could be read. */
export interface StackFields {
  readonly certificates: readonly ReadCertificate[];
  readonly secretPrefix: string | undefined;
  readonly encryptionKey: unknown;
}

/** Reports fields that are valid by themselves, but not in this stack, with this key, or beside the other renewals of the app. */
export function checkStack(fields: StackFields, { scope, others }: StackContext, report: Report): void {
  const { account, region } = Stack.of(scope);
  const shared = fields.certificates.findIndex(({ readers }) => readers);
  if (shared !== -1 && fields.encryptionKey === undefined) {
    const allowed = "set a KMS key, because the account's aws/secretsmanager key does not serve other accounts";
    report('encryptionKey', `missing, and certificates[${shared}] has readers in other accounts`, allowed);
  }
  for (const [index, { readers = [], replicas = [] }] of fields.certificates.entries()) {
    const path = `certificates[${index}]`;
    if (replicas.some((each) => each.region === region))
      report(`${path}.replicas`, `found ${region}, the region of the secret`, 'expected other regions');
    for (const reader of readers.filter((arn) => arn.split(':')[4] === account))
      report(`${path}.readers`, `found ${reader} of this account`, 'use grantRead for it, or an IAM policy');
  }
  if (fields.secretPrefix !== undefined) checkPrefix(fields.secretPrefix, scope, others, report);
}

/** Returns about how many characters CDK tokens take in the environment of the check function. */
export function tokenCharacters({ hostedZones }: DeployedConfig, tokens: readonly string[]): number {
  const ids = hostedZones.filter(({ id }) => Token.isUnresolved(id)).length;
  // A zone id has at most 32 characters. The ARN of a role, a secret or a key has about 120. Two quotes and a comma are added to each.
  return ids * (32 + 3) + (tokens.length - ids) * (120 + 3);
}

/** Reports CDK tokens that do not fit into the environment of the check function. */
export function checkTokens(deployed: DeployedConfig, tokens: readonly string[], report: Report): void {
  const characters = tokenCharacters(deployed, tokens);
  if (characters <= mostTokenCharacters) return;
  const problem = `found ${tokens.length} CDK tokens, which take about ${characters} characters of a function's environment`;
  report('config', problem, `expected at most ${mostTokenCharacters}, and any number of literal ids and ARNs`);
}

/** Reports a prefix that another renewal in the same account and region uses, because both would write the same secrets. */
function checkPrefix(prefix: string, scope: Construct, others: readonly OtherRenewal[], report: Report): void {
  const prefixes = [prefix, accountSecretPrefix(prefix)];
  for (const other of others.filter((each) => sameEnvironment(Stack.of(scope), Stack.of(each)))) {
    const { secretPrefix, node } = other;
    const overlap = [secretPrefix, accountSecretPrefix(secretPrefix)].some((a) =>
      prefixes.some((b) => a.startsWith(b) || b.startsWith(a)),
    );
    const unknown = [Stack.of(scope), Stack.of(other)].some(
      ({ account, region }) => Token.isUnresolved(account) || Token.isUnresolved(region),
    );
    const problem = `${JSON.stringify(prefix)} overlaps with ${JSON.stringify(secretPrefix)} of ${node.path}`;
    const allowed = 'expected a prefix whose secrets and account secrets are separate';
    const orEnv = unknown ? ', or set env of both stacks if they are in different accounts or regions' : '';
    if (overlap) report('secretPrefix', problem, `${allowed}${orEnv}`);
  }
}

/** Returns whether two stacks may be in one account and region. An account or a region that is not known at synth may be any. */
function sameEnvironment(one: Stack, other: Stack): boolean {
  const same = (a: string, b: string) => Token.isUnresolved(a) || Token.isUnresolved(b) || a === b;
  return one === other || (same(one.account, other.account) && same(one.region, other.region));
}
