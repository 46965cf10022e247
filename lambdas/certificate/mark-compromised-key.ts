import type { MarkCompromisedKeyInput } from '../domain/contract/steps.ts';
import type { CertificateSecrets, CertificateVersions } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

export interface MarkCompromisedKeyPorts {
  readonly ledger: Pick<Ledger, 'recordRevocation'>;
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
  readonly versions: Pick<CertificateVersions, 'markCompromised'>;
}

/**
 * Marks the key of a version as compromised, before the revocation waits for a renewal in progress. From then on no renewal stages the key or makes a
 * certificate with it current. If the version is current, its replacement is due from now on, also if the revocation fails.
 *
 * A second run finds the mark, so it is safe to run twice.
 *
 * @throws UnreadableSecretError if the version holds no certificate
 */
export async function markCompromisedKey(
  { certificate, versionId }: MarkCompromisedKeyInput,
  { ledger, secrets, versions }: MarkCompromisedKeyPorts,
): Promise<Record<string, never>> {
  await versions.markCompromised(certificate, versionId);
  const secret = await secrets.describe(certificate);
  if (secret?.currentVersion === versionId) await ledger.recordRevocation(certificate, versionId);
  return {};
}
