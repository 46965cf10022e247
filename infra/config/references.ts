import { Aws, Token } from 'aws-cdk-lib';
import { AccountPrincipal, AccountRootPrincipal, type IPrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { z } from 'zod';

/** Returns whether a value has a member, as the interfaces of the CDK have it. Classes cannot be compared, because an app may implement them. */
const has = (value: unknown, member: string): boolean => typeof value === 'object' && value !== null && member in value;

/**
 * Returns a schema that also takes a CDK object in place of a text.
 *
 * @param schema schema of the text, which the text of the object has to meet too
 * @param member member that identifies the object
 * @param textOf returns the text, or `undefined` if the object has none
 * @param allowed what is expected of the object
 */
function orReference<T>(
  schema: z.ZodType<string>,
  member: string,
  textOf: (object: T) => string | undefined,
  allowed: string,
) {
  return z.any().transform((value, context): string => {
    const isObject = has(value, member);
    const result = schema.safeParse(isObject ? textOf(value as T) : value);
    if (result.success) return result.data;
    context.addIssue({ code: 'custom', message: isObject ? allowed : (result.error.issues[0]?.message ?? allowed) });
    return z.NEVER;
  });
}

/** The ARN of a KMS key, or the key. */
export const orKey = (schema: z.ZodType<string>) =>
  orReference<IKey>(schema, 'keyArn', (key) => (isAlias(key) ? undefined : key.keyArn), 'a KMS key, and not an alias');

/** Returns whether a key is known by an alias only. A policy that names an alias allows no use of its key. */
export const isAlias = (key: unknown): boolean => has(key, 'aliasName');

/** The complete ARN of a secret, or the secret. */
export const orSecret = (schema: z.ZodType<string>) =>
  orReference<ISecret>(
    schema,
    'secretArn',
    ({ secretFullArn }) => secretFullArn,
    'a secret whose complete ARN is known, such as one of this app or Secret.fromSecretCompleteArn(...)',
  );

/** The ARN of a role, or the role. */
export const orRole = (schema: z.ZodType<string>) =>
  orReference<{ readonly roleArn: string }>(schema, 'roleArn', ({ roleArn }) => roleArn, 'an IAM role');

/** The ARN of a role, a user or an account, or a principal that is exactly one of these. */
export const orPrincipal = (schema: z.ZodType<string>) =>
  orReference<IPrincipal | { readonly grantPrincipal: IPrincipal }>(
    schema,
    'grantPrincipal',
    ({ grantPrincipal }) => arnOf(grantPrincipal),
    'a principal of another account whose policy names exactly one ARN of a role, a user or an account, without wildcards and conditions',
  );

/** Returns the account of a principal, or `undefined` for a text and for a principal whose account is not known. */
export const accountOf = (value: unknown): string | undefined =>
  has(value, 'grantPrincipal')
    ? (value as { readonly grantPrincipal: IPrincipal }).grantPrincipal.principalAccount
    : undefined;

/** Returns the customer's KMS key of a secret, or `undefined` for a text and for a secret whose key is not known. */
export const keyOfSecret = (value: unknown): IKey | undefined =>
  has(value, 'secretArn') ? (value as ISecret).encryptionKey : undefined;

/** Returns the only ARN of a principal. With a condition, the ARN alone would let in more principals than the app asked for. */
function arnOf(principal: IPrincipal): string | undefined {
  // The ARN that the CDK makes of an account is a token as a whole, so that nothing could tell that it names an account.
  if (principal instanceof AccountPrincipal)
    return principal instanceof AccountRootPrincipal
      ? undefined
      : `arn:${Aws.PARTITION}:iam::${principal.accountId}:root`;
  // An adapter adds conditions or session tags to another principal.
  if (has(principal, 'wrapped')) return undefined;
  const { principalJson, conditions } = principal.policyFragment;
  const [[type, arns] = [], ...others] = Object.entries(principalJson);
  const [arn, ...more] = [arns].flat();
  const isOne = type === 'AWS' && others.length === 0 && more.length === 0 && Object.keys(conditions).length === 0;
  return isOne && typeof arn === 'string' && !/[*?]/.test(arn) ? arn : undefined;
}

/** The zone that a configuration refers to as a CDK object. */
export interface ZoneReference {
  readonly id: string;
  readonly name: string;
}

export const isZone = (value: unknown): value is IHostedZone => has(value, 'hostedZoneId');

/** Returns the id and the name of a zone, or what is wrong with it in the parts of a mistake. */
export function readZone(zone: IHostedZone): ZoneReference | readonly [problem: string, allowed: string] {
  const allowed = 'expected a public hosted zone with a name that is known at synth';
  if (zone instanceof PrivateHostedZone || isAttached(zone)) return ['found a private hosted zone', allowed];
  const name = nameOf(zone);
  if (name === undefined)
    return ['found a hosted zone without a name', `${allowed}, such as HostedZone.fromHostedZoneAttributes(...)`];
  if (Token.isUnresolved(name))
    return [
      'found a hosted zone whose name is a CDK token',
      `${allowed}, or { id: zone.hostedZoneId, name: 'example.com' }`,
    ];
  return { id: zone.hostedZoneId, name };
}

/** Returns whether a zone is associated with a VPC, which makes it private. */
const isAttached = (zone: IHostedZone): boolean => {
  const { vpcs } = zone as unknown as { readonly vpcs?: unknown };
  return Array.isArray(vpcs) && vpcs.length > 0;
};

/** `HostedZone.fromHostedZoneId` makes a zone whose name throws an error when it is read. */
function nameOf(zone: IHostedZone): string | undefined {
  try {
    return zone.zoneName;
  } catch {
    return undefined;
  }
}
