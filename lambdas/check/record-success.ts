import type { RecordSuccessInput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { nextRenewal } from '../domain/rules/renewal/renewal-info.ts';

/**
 * Records a successful renewal. It removes the TXT values from the ledger that are no longer in DNS, removes order and failure, saves
 * the next renewal time for operators, and releases the leases.
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
  const record = await ledger.certificate(certificate);
  if (record.lease === null) return {};
  await ledger.recordSuccess(certificate, execution, nextRenewal(record));
  await ledger.release(certificate, execution);
  return {};
}
