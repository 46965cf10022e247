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
 * Gives the secret the readers and replicas that are configured, and removes all others. Does nothing where the ledger says that the
 * secret has them. Until all replicas exist the ledger says that access is changing, so that each fleet run decides `share` again, also
 * when the configuration has gone back to what it was.
 *
 * Sets what is configured, so running it twice is running it once.
 */
export async function shareSecret(
  { certificate, execution, spec }: Shared,
  { ledger, secrets }: ShareSecretPorts,
): Promise<Record<string, never>> {
  const { access, current } = await ledger.certificate(certificate);
  const wanted = accessHash(spec, current);
  // Not `isSharingOutdated`: a table that is new has noted nothing of the readers that a secret may still have.
  if (access === wanted) return {};
  // Nobody is to have access, and nobody is known to: a call that fails then leaves nothing to do.
  if (wanted !== '' || access !== undefined) await ledger.recordAccess(certificate, execution, accessChanging);
  const settled = await secrets.share(certificate, { readers: spec.readers ?? [], replicas: spec.replicas ?? [] });
  if (settled) await ledger.recordAccess(certificate, execution, wanted);
  return {};
}

/**
 * Shares the secret of a certificate that was stored or read by this step. Delivery does not wait for a reader that is rejected: the error
 * is logged, and the next fleet run decides `share`.
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
