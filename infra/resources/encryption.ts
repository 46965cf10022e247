import { Annotations, Fn, Stack, Token } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/**
 * What a customer's KMS key has to allow, beside what the functions' own roles ask of it through Secrets Manager and DynamoDB:
 * CloudWatch Logs writes and reads with it. A key of this app gets the statement; for one that is only referred to, a note says
 * that its owner adds it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
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
      `encryptionKey: its policy is not of this app. It has to let the account's IAM policies decide, and logs.${Token.isUnresolved(region) ? '<region>' : region}.amazonaws.com Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and Describe* where kms:EncryptionContext:aws:logs:arn is like arn:<partition>:logs:<region>:<account>:log-group:*.`,
    );
  encryptLogGroups(scope, key);
}

/**
 * Principals of other accounts that read secrets decrypt with the key, through Secrets Manager only. The account is the principal and the
 * reader a condition: a policy that names somebody who is no more could not be deployed.
 */
export function letReadersDecrypt(
  scope: Construct,
  key: IKey,
  { readers, secrets }: { readonly readers: readonly string[]; readonly secrets: string },
): void {
  const { region } = Stack.of(scope);
  for (const reader of new Set(readers)) {
    const account = Token.isUnresolved(reader) ? Fn.select(4, Fn.split(':', reader)) : reader.split(':')[4];
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions: ['kms:Decrypt'],
        resources: ['*'],
        conditions: {
          StringEquals: {
            'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
            ...(reader.endsWith(':root') ? {} : { 'aws:PrincipalArn': reader }),
          },
          StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
        },
      }),
    );
  }
}

/** Log groups that are made after the others. */
export function encryptLogGroups(scope: Construct, key: IKey): void {
  for (const group of scope.node.findAll()) if (group instanceof CfnLogGroup) group.kmsKeyId = key.keyArn;
}

/** Values under the key through one service, for a function: `read` decrypts, `write` makes data keys as well. */
export function grantKey(
  grantee: WorkflowFunction,
  key: IKey | undefined,
  service: 'secretsmanager' | 'dynamodb',
  use: 'read' | 'write',
): void {
  if (!key) return;
  const { region } = Stack.of(grantee);
  grantee.allow({
    actions: use === 'read' ? ['kms:Decrypt'] : uses[service],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com` } },
  });
}

/**
 * Keys that replicas of secrets are encrypted with, each in its region. Secrets Manager uses them when a replica is made.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
 */
export function grantReplicaKeys(grantee: WorkflowFunction, replicas: readonly Replica[]): void {
  const keys = new Map(
    replicas.flatMap(({ encryptionKey, region }) => (encryptionKey ? [[encryptionKey, region] as const] : [])),
  );
  for (const [key, region] of keys) {
    grantee.allow({
      actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
      resources: [key],
      conditions: {
        StringEquals: {
          'kms:ViaService': [region, Stack.of(grantee).region].map((each) => `secretsmanager.${each}.amazonaws.com`),
        },
      },
    });
  }
}

/**
 * Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 * DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
const uses = {
  secretsmanager: ['kms:Decrypt', 'kms:GenerateDataKey'],
  dynamodb: [
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ],
};
