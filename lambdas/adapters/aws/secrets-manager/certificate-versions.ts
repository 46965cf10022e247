import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  type SecretsManagerClient,
  type SecretVersionsListEntry,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { CertificateVersions } from '../../../domain/ports/certificate-secrets.ts';
import { certificateValueOf, compromisedLabel } from './certificate-secrets.ts';
import { secretReplyOf, warmSecretsClient } from './secrets.ts';

/**
 * All versions of a certificate's secret. Secrets Manager keeps the last hundred, and those without a label for at least a day:
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export function createCertificateVersions({
  prefix,
  client = warmSecretsClient(),
}: {
  readonly prefix: string;
  readonly client?: SecretsManagerClient;
}): CertificateVersions {
  async function listed(secret: string): Promise<readonly SecretVersionsListEntry[]> {
    const found: SecretVersionsListEntry[] = [];
    let NextToken: string | undefined;
    do {
      const command = new ListSecretVersionIdsCommand({
        SecretId: secret,
        IncludeDeprecated: true,
        MaxResults: 100,
        NextToken,
      });
      const reply = await secretReplyOf(client, { action: 'ListSecretVersionIds', secret }, client.send(command));
      found.push(...(reply.Versions ?? []));
      ({ NextToken } = reply);
    } while (NextToken !== undefined);
    return found;
  }

  return {
    async list(certificate) {
      const secret = `${prefix}${certificate}`;
      const stored: Awaited<ReturnType<CertificateVersions['list']>>[number][] = [];
      for (const { VersionId, VersionStages: labels = [] } of await listed(secret)) {
        const command = new GetSecretValueCommand({ SecretId: secret, VersionId });
        const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command), {
          // Thrown away meanwhile, as versions without a label are.
          ResourceNotFoundException: () => null,
        });
        // The placeholder and staged keys are no certificates.
        const value = certificateValueOf(reply?.SecretString);
        if (value) stored.push({ versionId: VersionId ?? '', current: labels.includes('AWSCURRENT'), value });
      }
      return stored;
    },

    async markCompromised(certificate, versionId) {
      const secret = `${prefix}${certificate}`;
      const before = (await listed(secret)).find(({ VersionStages: labels }) => labels?.includes(compromisedLabel));
      if (before?.VersionId === versionId) return;
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secret,
        VersionStage: compromisedLabel,
        MoveToVersionId: versionId,
        ...(before ? { RemoveFromVersionId: before.VersionId } : {}),
      });
      await secretReplyOf(client, { action: 'UpdateSecretVersionStage', secret }, client.send(command));
    },
  };
}
