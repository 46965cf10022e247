import type { RecordSuccessInput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

/**
 * The end of a renewal that went well: strikes off the values that are gone from DNS, drops order and failure, gives back the leases.
 *
 * Run twice, the second finds the lease given back: that is how the first ended, so it is success.
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
