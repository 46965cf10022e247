import { Annotations, Fn, Stack, Token } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnKey, IKey } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { mistake } from '../config/mistakes.ts';

/**
 * Allows CloudWatch Logs to use the customer's KMS key, and encrypts all log groups with it. A key of this app gets the policy statement.
 * For an imported key a note says which statement its owner has to add. The functions use the key through Secrets Manager and DynamoDB,
 * with the permissions of their own roles. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function encryptLogs(scope: Construct, key: IKey): void {
  const { partition, region, account } = Stack.of(scope);
  const logs = `arn:${partition}:logs:${region}:${account}:log-group:*`;
  const { statementAdded } = key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CloudWatchLogs',
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logs } },
    }),
  );
  if (!statementAdded)
    Annotations.of(scope).addInfoV2(
      'perennial:encryption-key-policy',
      `encryptionKey: the key policy is not part of this app. It has to let IAM policies of the account decide. It also has to allow logs.${Token.isUnresolved(region) ? '<region>' : region}.amazonaws.com the actions Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and Describe*, on the condition that kms:EncryptionContext:aws:logs:arn is like arn:<partition>:logs:<region>:<account>:log-group:*.`,
    );
  encryptLogGroups(scope, key);
}

/**
 * Allows readers in other accounts to decrypt with the key, only through Secrets Manager. The principal is the account, and a condition names the
 * readers in it. A policy whose principal is a deleted role could not be deployed. There is one statement for each account, because a key policy has
 * at most 32,768 bytes. A reader that is the account itself makes the names of others in it unnecessary.
 */
export function letReadersDecrypt(
  scope: Construct,
  key: IKey,
  { readers, secrets }: { readonly readers: readonly string[]; readonly secrets: string },
): void {
  const { region } = Stack.of(scope);
  // An ARN that is a token as a whole has no colons at synth, and CloudFormation reads the account from it.
  const accountOf = (reader: string) => reader.split(':')[4] ?? Fn.select(4, Fn.split(':', reader));
  for (const [account, members] of Map.groupBy(new Set(readers), accountOf)) {
    const named = members.some((each) => each.endsWith(':root')) ? [] : members;
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions: ['kms:Decrypt'],
        resources: ['*'],
        conditions: {
          StringEquals: {
            'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
            ...(named.length > 0 && { 'aws:PrincipalArn': named }),
          },
          StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
        },
      }),
    );
  }
  scope.node.addValidation({ validate: () => policyMistakes(key) });
}

/** Largest policy of a KMS key, in bytes. https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const mostPolicyBytes = 32_768;

/** Returns the mistake of a key of this app whose policy is too large. The sizes of CDK tokens are estimated by their form in the template. */
function policyMistakes(key: IKey): string[] {
  const { keyPolicy } = Object(key.node.defaultChild) as Partial<CfnKey>;
  if (keyPolicy === undefined) return [];
  const bytes = Buffer.byteLength(JSON.stringify(Stack.of(key).resolve(keyPolicy)));
  if (bytes <= mostPolicyBytes) return [];
  const problem = `the policy of ${key.node.path} has ${bytes} bytes`;
  return [
    mistake(
      'encryptionKey',
      problem,
      `expected at most ${mostPolicyBytes}, with fewer readers, or an account in place of its roles`,
    ),
  ];
}

/** Encrypts the log groups in this scope. It has to be called again for log groups that are created later. */
export function encryptLogGroups(scope: Construct, key: IKey): void {
  for (const group of scope.node.findAll()) if (group instanceof CfnLogGroup) group.kmsKeyId = key.keyArn;
}
