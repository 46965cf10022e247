/**
 * Names of environment variables, for the construct that sets one and the adapter that reads it. Values are read when an
 * adapter is made, inside the handler's call.
 */
export const environment = {
  /** DynamoDB table of the ledger. */
  ledgerTable: 'LEDGER_TABLE',
  /** `certificates/`: what secret names begin with. */
  secretPrefix: 'SECRET_PREFIX',
  /** `certificates-accounts/` */
  accountSecretPrefix: 'ACCOUNT_SECRET_PREFIX',
  /** Value of the tag `perennial:stack` on everything made at run time. */
  stackTag: 'STACK_TAG',
  /** JSON array: what `@n` in the config file stands for. */
  configTokens: 'CONFIG_TOKENS',
  /** ARN of the KMS key for new secrets; not set: the account's own. */
  encryptionKey: 'ENCRYPTION_KEY',
  /** `address:port` of root name servers, separated by commas; not set: the Internet's. */
  rootServers: 'ROOT_SERVERS',
} as const;

/**
 * Tags on secrets and imports; by the first we know ours, by the second which. The third is on imports: region and prefix of the secrets that
 * they come from, since two stacks of one name, or two of us in one stack, may deliver certificates of one name to one region. The fourth is
 * on secrets: regions that we replicate to, separated by spaces. What somebody else replicates is never taken away.
 */
export const tags = {
  stack: 'perennial:stack',
  certificate: 'perennial:certificate',
  secrets: 'perennial:secrets',
  replicas: 'perennial:replicas',
} as const;

/** The value of a variable that the deployment must have set. */
export function requireVariable(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = env[name];
  if (!value)
    throw new Error(`The environment variable ${name} is not set: deploy the function through its construct.`);
  return value;
}
