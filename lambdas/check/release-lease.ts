import type { Run } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

/**
 * Releases the lease of a certificate after its revocation, so that the renewal that replaces it can take the lease.
 *
 * It changes nothing if the execution does not hold the lease, so it is safe to run twice.
 */
export async function releaseLease(
  { certificate, execution }: Pick<Run, 'certificate' | 'execution'>,
  { ledger }: { readonly ledger: Pick<Ledger, 'release'> },
): Promise<Record<string, never>> {
  await ledger.release(certificate, execution);
  return {};
}
