import { Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/** `read` allows decryption, and `write` also allows creating data keys. */
type Use = 'read' | 'write';

/** Allows a function to use the key through DynamoDB. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html */
export function grantKeyForTable(grantee: WorkflowFunction, key: IKey | undefined, use: Use): void {
  if (!key) return;
  const write = ['DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'];
  grantee.allow({
    actions: ['Decrypt', ...(use === 'write' ? write : [])].map((action) => `kms:${action}`),
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(grantee).region}.amazonaws.com` } },
  });
}

/**
 * Allows a function to use the key through Secrets Manager for secrets with these ARNs, which may be patterns. Secrets Manager puts the ARN of
 * the secret into the encryption context. https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
export function grantKeyForSecrets(
  grantee: WorkflowFunction,
  key: IKey | undefined,
  use: Use,
  secrets: readonly string[],
): void {
  if (!key || secrets.length === 0) return;
  grantee.allow({
    actions: ['kms:Decrypt', ...(use === 'write' ? ['kms:GenerateDataKey'] : [])],
    resources: [key.keyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': viaSecretsManager(Stack.of(grantee).region) },
      StringLike: { [secretContext]: [...secrets, ...(use === 'write' ? [validation] : [])] },
    },
  });
}

/**
 * Allows the keys that replicas of secrets are encrypted with, each in its region. Secrets Manager uses them when it creates a replica.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
 *
 * @param secretsIn returns the pattern of the ARNs of the secrets in a region
 */
export function grantReplicaKeys(
  grantee: WorkflowFunction,
  replicas: readonly Replica[],
  secretsIn: (region: string) => string,
): void {
  const keys = new Map(
    replicas.flatMap(({ encryptionKey, region }) => (encryptionKey ? [[encryptionKey, region] as const] : [])),
  );
  for (const [key, region] of keys) {
    // The documents do not say through which of the two regions a replica is encrypted.
    const regions = [region, Stack.of(grantee).region];
    grantee.allow({
      actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
      resources: [key],
      conditions: {
        StringEquals: { 'kms:ViaService': regions.map(viaSecretsManager) },
        StringLike: { [secretContext]: [...regions.map(secretsIn), validation] },
      },
    });
  }
}

const secretContext = 'kms:EncryptionContext:SecretARN';

/**
 * Value in the encryption context when Secrets Manager checks that the caller may use the key. The user guide has it as the id of the version only.
 * A construct of the CDK's authors (cdklabs/aws-delivlib) also allows it as the ARN. No secret is encrypted with it.
 */
const validation = 'RequestToValidateKeyAccess';

const viaSecretsManager = (region: string) => `secretsmanager.${region}.amazonaws.com`;
