import type { SetPauseInput, SetPauseOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

/**
 * Saves until when the renewals of a certificate are paused, or ends the pause. It needs no lease, because a renewal in progress continues.
 *
 * A second run writes the same time again.
 */
export async function setPause(
  { certificate, until }: SetPauseInput,
  { ledger }: { readonly ledger: Pick<Ledger, 'recordPause'> },
): Promise<SetPauseOutput> {
  await ledger.recordPause(certificate, until);
  return { certificate, pausedUntil: until };
}
