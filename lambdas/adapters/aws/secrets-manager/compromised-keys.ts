import { UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { UnreadableSecretError } from '../../../domain/contract/errors.ts';
import { keyFingerprint } from '../../../domain/rules/certificate/key-fingerprint.ts';
import { awsRefused } from '../translate-errors.ts';
import { certificateValueOf, listVersions } from './certificate-versions.ts';
import { describeSecret, readVersion, type Secret, secretReplyOf } from './secrets.ts';

/**
 * Compromised keys of a secret. A version with a compromised key has a label with the fingerprint of its public key. So a key is recognized by its
 * value in every version, and DescribeSecret returns all marks. Secrets Manager also keeps a version that has a label.
 */
const prefix = 'COMPROMISED-';

/**
 * Number of marks that are kept. A secret may have 20 labels, and AWSCURRENT, AWSPREVIOUS and CANDIDATE are three of them. The mark of the oldest
 * version makes room for another one.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const maximumMarks = 15;

/** Returns the fingerprints of all compromised keys. */
export async function compromisedKeys(secret: Secret): Promise<ReadonlySet<string>> {
  const labels = Object.values((await describeSecret(secret))?.VersionIdsToStages ?? {}).flat();
  return new Set(labels.filter((label) => label.startsWith(prefix)).map((label) => label.slice(prefix.length)));
}

export async function markCompromised(secret: Secret, versionId: string): Promise<void> {
  const value = certificateValueOf((await readVersion(secret, { VersionId: versionId }))?.SecretString);
  if (!value) {
    throw new UnreadableSecretError({
      what: `Version ${versionId} of secret ${secret.secret} holds no certificate, so its key was not marked as compromised.`,
      remedy: 'Start the revocation again. It then marks the key that is current.',
      secret: secret.secret,
    });
  }
  const label = `${prefix}${keyFingerprint(value.privateKey)}`;
  const marks = (await listVersions(secret))
    .toSorted((a, b) => (a.CreatedDate?.getTime() ?? 0) - (b.CreatedDate?.getTime() ?? 0))
    .flatMap(({ VersionId = '', VersionStages: labels = [] }) =>
      labels.filter((each) => each.startsWith(prefix)).map((each) => ({ VersionId, label: each })),
    );
  if (marks.some((mark) => mark.label === label)) return;
  const [oldest] = marks;
  if (oldest && marks.length >= maximumMarks) {
    await updateLabel(secret, { VersionStage: oldest.label, RemoveFromVersionId: oldest.VersionId });
  }
  await updateLabel(secret, { VersionStage: label, MoveToVersionId: versionId });
}

async function updateLabel(
  secret: Secret,
  change: { readonly VersionStage: string; readonly MoveToVersionId?: string; readonly RemoveFromVersionId?: string },
): Promise<void> {
  const command = new UpdateSecretVersionStageCommand({ SecretId: secret.secret, ...change });
  const action = 'UpdateSecretVersionStage';
  const moved = (error: Error): never => {
    const call = { action: `secretsmanager:${action}`, resource: `secret ${secret.secret}` };
    throw awsRefused(error, call, 'Another revocation has moved the label. The next attempt reads the labels again.');
  };
  await secretReplyOf(secret, action, secret.client.send(command), {
    InvalidParameterException: moved,
    ResourceNotFoundException: moved,
  });
}
