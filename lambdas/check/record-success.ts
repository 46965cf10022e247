import type { RecordSuccessInput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { nextRenewal } from '../domain/rules/renewal/renewal-info.ts';

/**
 * Records a successful renewal. It removes the TXT values from the ledger that are no longer in DNS. One update then removes order and failure, and
 * saves the announced version and, for operators, the next renewal time. At the end the leases are released.
 *
 * A second run finds that the lease is released, which is the last step of the first run, and succeeds. If another execution has taken the lease
 * since, the current version shows whether this execution has stored it and so has finished.
 *
 * @throws LeaseLostError if another execution holds the lease
 */
export async function recordSuccess(
  { certificate, execution, announced, removed }: RecordSuccessInput,
  { ledger }: { readonly ledger: Ledger },
): Promise<Record<string, never>> {
  if (removed.length > 0) await ledger.removeLeftovers(certificate, removed);
  const record = await ledger.certificate(certificate);
  const isFinished = record.lease !== execution && (record.lease === null || record.current?.execution === execution);
  if (isFinished) return {};
  await ledger.recordSuccess(certificate, execution, {
    renewalTime: nextRenewal(record),
    announcedVersion: announced,
  });
  await ledger.release(certificate, execution);
  return {};
}
