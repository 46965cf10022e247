import { RenewalsInProgressError } from '../domain/contract/errors.ts';
import type { Run } from '../domain/contract/steps.ts';
import { acquireLease, type LeasePorts } from './leases.ts';

/**
 * Takes the lease of a certificate for its revocation, so that no renewal changes the secret in the meantime. The workflow retries it while a renewal
 * is in progress, and then revokes without the lease.
 *
 * A second run finds its own lease, so it is safe to run twice.
 *
 * @throws RenewalsInProgressError while another execution holds the lease
 */
export async function takeLease(
  { certificate, execution }: Pick<Run, 'certificate' | 'execution'>,
  ports: LeasePorts,
): Promise<Record<string, never>> {
  const holder = await acquireLease({ certificate }, { certificate, execution, restartOf: null }, ports);
  if (holder === null) return {};
  throw new RenewalsInProgressError({
    what: 'The lease of the certificate could not be taken.',
    why: `Execution ${holder.execution} holds it.`,
    remedy: 'The revocation continues when that execution has ended, or after ten minutes.',
    certificate,
  });
}
