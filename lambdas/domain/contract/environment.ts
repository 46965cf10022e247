/**
 * Names of environment variables. A construct sets the variable and an adapter reads it. The value is read when the adapter is created, during
 * the invocation.
 */
export const environment = {
  /** Name of the DynamoDB table of the ledger. */
  ledgerTable: 'LEDGER_TABLE',
  /** Prefix of the names of certificate secrets, such as `certificates/`. */
  secretPrefix: 'SECRET_PREFIX',
  /** Prefix of the names of account secrets, such as `certificates-accounts/`. */
  accountSecretPrefix: 'ACCOUNT_SECRET_PREFIX',
  /** Value of the dimension `Deployment` of all metrics. */
  metricsDeployment: 'METRICS_DEPLOYMENT',
  /** Value of the tag `perennial:stack` on everything that is created at run time. */
  stackTag: 'STACK_TAG',
  /** JSON object with the operator's tags, for secrets and ACM imports. If it is not set, there are none. */
  tags: 'TAGS',
  /** JSON array with the values of `@n` in the config file. */
  configTokens: 'CONFIG_TOKENS',
  /** ARN of the KMS key for new secrets. If it is not set, the key of the account is used. */
  encryptionKey: 'ENCRYPTION_KEY',
  /** JSON object with the parts of the deployment that the command line calls (`contract/report.ts`). */
  deployment: 'DEPLOYMENT',
  /** ARN of the SNS topic to which the function `notification` publishes. */
  topic: 'TOPIC',
  /** Root name servers as `address:port`, separated by commas. If it is not set, those of the Internet are used. */
  rootServers: 'ROOT_SERVERS',
} as const;

/**
 * Tags on secrets and ACM imports. `stack` identifies resources of this stack, and `certificate` names the certificate.
 *
 * `secrets` is on imports. It has the region and prefix of the secrets, because two stacks with one name, or two constructs in one stack, may
 * import certificates with one name into one region.
 *
 * `replicas` is on secrets. It lists the regions that this stack replicates to, separated by spaces. Replicas in other regions are kept.
 *
 * `part` is on the function `report`, by which the command line finds a deployment.
 */
export const tags = {
  stack: 'perennial:stack',
  part: 'perennial:part',
  certificate: 'perennial:certificate',
  secrets: 'perennial:secrets',
  replicas: 'perennial:replicas',
} as const;

/** Tags by key. The operator's tags are on everything that is created at run time, beside the tags above. */
export type Tags = Readonly<Record<string, string>>;

/** Returns the operator's tags. */
export function readTags(env: Readonly<Record<string, string | undefined>>): Tags {
  return JSON.parse(env[environment.tags] ?? '{}') as Tags;
}

/** Returns the value of a variable. Throws if the deployment has not set it. */
export function requireVariable(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set. Deploy the function with its construct.`);
  return value;
}
