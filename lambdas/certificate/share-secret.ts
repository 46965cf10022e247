import { SecretAccessError } from '../domain/contract/errors.ts';
import type { ShareSecretInput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accessChanging, accessHash } from '../domain/rules/certificate/secret-sharing.ts';

export interface ShareSecretPorts {
  readonly ledger: Pick<Ledger, 'certificate' | 'recordAccess'>;
  readonly secrets: Pick<CertificateSecrets, 'share'>;
}

type Shared = Omit<ShareSecretInput, 'attempt'>;

/**
 * Gives the secret the readers and replicas that are configured, and removes all others. If the ledger shows that the secret has them, nothing is
 * done. Until all replicas exist, the ledger shows that access is changing. So each fleet run decides `share` again, even if the configuration was
 * reverted.
 *
 * It sets what is configured, so it is safe to run twice.
 *
 * @throws SecretAccessError if Secrets Manager rejects a reader or a replica
 */
export async function shareSecret(
  { certificate, execution, spec }: Shared,
  { ledger, secrets }: ShareSecretPorts,
): Promise<Record<string, never>> {
  const { access, current } = await ledger.certificate(certificate);
  const wanted = accessHash(spec, current);
  // `isSharingOutdated` does not suffice, because a new table does not know the readers that the secret may still have.
  if (access === wanted) return {};
  // If no access is configured and none is known, a failed call leaves nothing to do.
  if (wanted !== '' || access !== undefined) await ledger.recordAccess(certificate, execution, accessChanging);
  const settled = await secrets.share(certificate, { readers: spec.readers ?? [], replicas: spec.replicas ?? [] });
  if (settled) await ledger.recordAccess(certificate, execution, wanted);
  return {};
}

/**
 * Shares the secret of a certificate that this step has stored or read. A rejected reader does not delay the delivery. The error is logged, and the
 * next fleet run decides `share`.
 */
export async function shareIfPossible(
  shared: Shared,
  { log, ...ports }: ShareSecretPorts & { readonly log: StepLog },
): Promise<void> {
  await shareSecret(shared, ports).catch((error: unknown) => {
    if (!(error instanceof SecretAccessError)) throw error;
    log.error(`Certificate ${shared.certificate} is stored. ${error.message}`, { error });
  });
}
