import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { parseCertificateSecret } from '../../../domain/contract/certificate-secret.ts';
import type { CertificateValues } from '../../../domain/ports/certificate-values.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

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
      );
      return parseCertificateSecret(SecretString);
    },
  };
}
