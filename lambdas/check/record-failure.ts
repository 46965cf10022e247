import type { RecordFailureInput, RecordFailureOutput } from '../rules/contract.ts';
import { LeaseLostError } from '../rules/errors.ts';
import { readErrorOutput } from '../rules/failure.ts';
import type { Clock, Ledger } from '../rules/ports.ts';

/** AWS asking to slow down says nothing about the certificate, and an execution that lost its lease has nothing to say. */
const uncounted = new Set(['ThrottledError', 'LeaseLostError']);

/**
 * The end of a renewal that failed: says why under a name of ours, with the CA's problem in the sentence, counts it, strikes off what is
 * gone from DNS and gives back the leases. An execution without the lease writes nothing.
 *
 * Run twice, the second finds the lease given back and counts nothing.
 */
export async function recordFailure(
  { certificate, execution, errorOutput, removed }: RecordFailureInput,
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
): Promise<RecordFailureOutput> {
  const { error, message, problem } = readErrorOutput(errorOutput);
  if (removed.length > 0) await ledger.strikeLeftovers(certificate, removed);
  if (!uncounted.has(error)) {
    await ledger
      .recordFailure(certificate, execution, { error, cause: message, last: clock.now().toISOString() }, null)
      .catch((failure: unknown) => {
        if (!(failure instanceof LeaseLostError)) throw failure;
      });
  }
  await ledger.release(certificate, execution);
  return { error, cause: message, problemType: problem?.type ?? null, identifier: problem?.identifier ?? null };
}
