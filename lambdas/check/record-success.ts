import type { RecordSuccessInput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

/**
 * Records a successful renewal. It removes the TXT values from the ledger that are no longer in DNS, removes order and failure, and releases the
 * leases.
 *
 * A second run finds that the lease is released, which is the last step of the first run, and succeeds.
 *
 * @throws LeaseLostError if another execution holds the lease
 */
export async function recordSuccess(
  { certificate, execution, removed }: RecordSuccessInput,
  { ledger }: { readonly ledger: Ledger },
): Promise<Record<string, never>> {
  if (removed.length > 0) await ledger.removeLeftovers(certificate, removed);
  const { lease } = await ledger.certificate(certificate);
  if (lease === null) return {};
  await ledger.recordSuccess(certificate, execution);
  await ledger.release(certificate, execution);
  return {};
}
