import type { CertificateSpec } from '../domain/contract/config.ts';
import { SecretAccessError } from '../domain/contract/errors.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accessChanging, accessHash } from '../domain/rules/certificate/secret-sharing.ts';

interface Shared {
  readonly certificate: string;
  readonly execution: string;
  readonly spec: CertificateSpec;
}
interface SharePorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
}

/**
 * Gives the secret its readers and replicas, where the ledger knows it with others. Until all of them are there the ledger knows it with
 * none of either: each fleet run looks again, also when the configuration has gone back to what it was.
 */
export async function shareCertificate(
  { certificate, execution, spec }: Shared,
  { ledger, secrets }: SharePorts,
): Promise<void> {
  const { access, current } = await ledger.certificate(certificate);
  const wanted = accessHash(spec, current);
  // Not `isAccessBehind`: a table that is new has noted nothing of the readers that a secret may still have.
  if (access === wanted) return;
  // Nobody is to have access, and nobody is known to: a call that fails then leaves nothing to repair.
  if (wanted !== '' || access !== undefined) await ledger.recordAccess(certificate, execution, accessChanging);
  const settled = await secrets.share(certificate, { readers: spec.readers ?? [], replicas: spec.replicas ?? [] });
  if (settled) await ledger.recordAccess(certificate, execution, wanted);
}

/**
 * For a certificate that has just come: delivery must not wait for a reader who is not there. The next run makes up for it, or fails by it.
 */
export async function shareIfPossible(shared: Shared, { log, ...ports }: SharePorts & { readonly log: StepLog }) {
  await shareCertificate(shared, ports).catch((error: unknown) => {
    if (!(error instanceof SecretAccessError)) throw error;
    log.error(`Certificate ${shared.certificate} is stored. ${error.message}`, { error });
  });
}
