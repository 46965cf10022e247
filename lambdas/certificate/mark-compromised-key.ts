import type { MarkCompromisedKeyInput } from '../domain/contract/account-request.ts';
import type { CertificateVersions } from '../domain/ports/certificate-secrets.ts';

/**
 * Marks the key of a version as compromised, before the revocation waits for a renewal in progress. From then on no renewal stages the key or makes a
 * certificate with it current.
 *
 * A second run finds the mark, so it is safe to run twice.
 *
 * @throws UnreadableSecretError if the version holds no certificate
 */
export async function markCompromisedKey(
  { certificate, versionId }: MarkCompromisedKeyInput,
  { versions }: { readonly versions: Pick<CertificateVersions, 'markCompromised'> },
): Promise<Record<string, never>> {
  await versions.markCompromised(certificate, versionId);
  return {};
}
