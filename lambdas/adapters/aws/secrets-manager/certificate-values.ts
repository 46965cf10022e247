import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { parseCertificateSecret } from '../../../domain/contract/certificate-secret.ts';
import { SecretDeletedError } from '../../../domain/contract/errors.ts';
import { restoreCommand } from '../../../domain/contract/secret-commands.ts';
import type { CertificateValues } from '../../../domain/ports/certificate-values.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const notReadable =
  (secret: string, remedy: string) =>
  (cause: Error): never => {
    throw new SecretDeletedError({
      what: `Secret ${secret} has no value that can be read.`,
      why: cause.message,
      remedy,
      secret,
      cause,
    });
  };

/** Reads certificates' secrets with the operator's region and credentials. */
export function createCertificateValues(
  settings: Pick<SecretsManagerClientConfig, 'region' | 'profile'>,
): CertificateValues {
  const client = new SecretsManagerClient({ ...clientSettings, ...settings });
  return {
    async read(secretId) {
      const { SecretString = '' } = await replyOf(
        { action: 'secretsmanager:GetSecretValue', resource: `secret ${secretId}` },
        client.send(new GetSecretValueCommand({ SecretId: secretId })),
        {
          // Secrets Manager answers so if the secret is scheduled for deletion.
          InvalidRequestException: notReadable(secretId, `Restore it with: ${restoreCommand(secretId)}`),
          ResourceNotFoundException: notReadable(
            secretId,
            'It was deleted, or no certificate was issued yet. The command explain shows which, and the next renewal creates it.',
          ),
        },
      );
      return parseCertificateSecret(SecretString);
    },
  };
}
