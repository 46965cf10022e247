import { Stack, Token } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { CheckedConfig } from './check-config.ts';

/** Characters of the 4 KB that a function's environment has: the rest is for its other variables. */
const mostTokenRoom = 3500;

interface Other extends Construct {
  readonly secretPrefix: string;
}

export interface StackContext {
  readonly encryptionKey: IKey | undefined;
  /** Those of the same app that renew certificates too. */
  readonly others: readonly Other[];
}

/** What is wrong with a checked config where it stands: in this stack, with this key, beside others. A line each. */
export function stackMistakes(
  scope: Construct,
  config: CheckedConfig,
  { encryptionKey, others }: StackContext,
): readonly string[] {
  const { deployed, tokens } = config;
  const room = tokenRoom(config);
  const { account, region } = Stack.of(scope);
  const own = deployed.certificates.flatMap(({ replicas = [] }, index) =>
    replicas.some((each) => each.region === region) ? [`certificates[${index}].replicas`] : [],
  );
  const neighbours = deployed.certificates.flatMap(({ readers = [] }, index) =>
    readers.filter((arn) => arn.split(':')[4] === account).map((arn) => `certificates[${index}].readers: found ${arn}`),
  );
  return [
    ...(room > mostTokenRoom
      ? [
          `config: found ${tokens.length} CDK tokens, some ${room} characters, allowed: ${mostTokenRoom} (a function's environment has 4 KB), and any number of literal ids and ARNs`,
        ]
      : []),
    ...(encryptionKey !== undefined && typeof encryptionKey.keyArn !== 'string'
      ? [
          'encryptionKey: found no key, allowed: a KMS key, Key.fromKeyArn(this, "Key", "arn:...") for one that is there',
        ]
      : []),
    ...(!encryptionKey && deployed.certificates.some(({ readers }) => readers)
      ? [
          "certificates: found readers of other accounts and no encryptionKey, allowed: readers with a key of yours, since AWS's own key for secrets serves one account only",
        ]
      : []),
    ...own.map((path) => `${path}: found ${region}, where the secret itself is, allowed: other regions`),
    ...neighbours.map(
      (found) => `${found}, which is of this account, allowed: others, and grantRead for those of this one`,
    ),
    ...prefixMistakes(scope, config, others),
  ];
}

/** A zone's id has 32 characters, the ARN of a role, a secret or a key some 120; two quotes and a comma each. */
function tokenRoom({ tokens, deployed }: CheckedConfig): number {
  const ids = deployed.hostedZones.filter(({ id }) => Token.isUnresolved(id)).length;
  return ids * (32 + 3) + (tokens.length - ids) * (120 + 3);
}

/** Two in one place would write the same secrets, each by its own ledger. Where an environment is not told, nobody knows. */
function prefixMistakes(
  scope: Construct,
  { secretPrefix, accountSecretPrefix }: CheckedConfig,
  others: readonly Other[],
): readonly string[] {
  const ours = [secretPrefix, accountSecretPrefix];
  const here = Stack.of(scope);
  const known = ({ account, region }: Stack) => !Token.isUnresolved(account) && !Token.isUnresolved(region);
  const together = (there: Stack) =>
    there === here || (known(here) && known(there) && there.account === here.account && there.region === here.region);
  return others.flatMap((other) => {
    if (!together(Stack.of(other))) return [];
    const { secretPrefix: theirs } = other;
    const prefixes = [theirs, theirs.replace(/\/$/, '-accounts/')];
    const meets = ours.some((a) => prefixes.some((b) => a.startsWith(b) || b.startsWith(a)));
    return meets
      ? [
          `secretPrefix: found ${JSON.stringify(secretPrefix)} beside ${JSON.stringify(theirs)} of ${other.node.path}, allowed: one that neither begins the other nor its account secrets`,
        ]
      : [];
  });
}
