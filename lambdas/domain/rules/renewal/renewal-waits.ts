import { RenewalsInProgressError, SameNamesTimeoutError } from '../../contract/errors.ts';
import type { WaitingFor, WaitStarts } from '../../contract/steps.ts';
import type { LeaseHolder } from '../../ports/ledger.ts';
import { throwStillRunning } from './interruption.ts';
import type { Decision } from './renewal-decision.ts';
import { isBeforeNextCheck } from './renewal-info.ts';
import { emergencyTime } from './renewal-time.ts';

/** Longest wait for certificates with the same names, in seconds, and the time between two checks. */
const set = { bound: 2 * 3600, wait: 60 } as const;
/** The same for a deployment that waits for the lease of its certificate. The deployment itself may take 30 minutes. */
const deployment = { bound: 25 * 60, wait: 10 } as const;
/** The same for a forced execution. A delivery that ACM throttles takes up to 40 minutes. */
const forced = { bound: 2 * 3600, wait: 10 } as const;
/** The same for a restart while DescribeExecution shows that the interrupted execution runs. It is eventually consistent. */
const interruption = { bound: 120, wait: 10 } as const;

/** A decision with the start times of the waits, if they have changed. */
export type BoundedDecision = Decision & { readonly waitStarts?: WaitStarts };

type BoundedWait = Decision & { readonly waitStarts: WaitStarts };

/**
 * Returns the decision while another execution holds the lease of the certificate. A deployment waits for the lease. A forced execution waits
 * too, unless the other one orders, which is what the operator wants.
 *
 * @throws RenewalsInProgressError if a forced execution has waited for two hours
 */
export function whileCertificateLeaseIsTaken(
  { execution: holder, orders }: LeaseHolder,
  {
    certificate,
    force,
    deploy,
    waitStarts: earlier,
  }: {
    readonly certificate: string;
    readonly force: boolean;
    readonly deploy: boolean;
    readonly waitStarts: WaitStarts;
  },
  now: Date,
): BoundedWait {
  const waitStarts = started(earlier, 'certificateLease', now);
  const mustIssue = force && !orders;
  const limits = deploy ? deployment : mustIssue ? forced : null;
  const end = startOf(waitStarts, 'certificateLease', now) + 1000 * (limits?.bound ?? 0);
  const wait = secondsUntil(end, limits?.wait ?? 0, now);
  if (mustIssue && wait === 0) {
    throw new RenewalsInProgressError({
      what: 'The forced renewal has waited for another execution, and does not wait longer.',
      why: `Execution ${holder} works on the certificate and does not order.`,
      remedy: 'Check that execution, stop it if it makes no progress, and force the renewal again.',
      certificate,
    });
  }
  return { action: wait > 0 ? 'wait' : 'none', wait, reason: `in progress by ${holder}`, waitStarts };
}

/**
 * Returns the decision while another execution holds the lease of the identifier set. The wait ends after two hours, and earlier when the
 * certificate reaches its emergency time or expires. If that time has passed when the wait begins, the wait lasts until the next of these times.
 * At the end `wait` is 0, and `assertWaitLeft` fails.
 */
export function whileSetLeaseIsTaken(
  holder: string,
  earlier: WaitStarts,
  current: { readonly notBefore: string; readonly notAfter: string } | null,
  now: Date,
): BoundedWait {
  const waitStarts = started(earlier, 'setLease', now);
  const start = startOf(waitStarts, 'setLease', now);
  const times = current ? [emergencyTime(current).getTime(), Date.parse(current.notAfter)] : [];
  const end = Math.min(start + 1000 * set.bound, ...times.filter((time) => time > start));
  const reason = `the same names are being issued by ${holder}`;
  return { action: 'wait', wait: secondsUntil(end, set.wait, now), reason, waitStarts };
}

/**
 * Returns the decision while the renewal time is ahead. The CA can move that time on each fetch, so the wait ends when the next fleet run has
 * begun, which checks again. `checkInterval` is in seconds.
 */
export function whileRenewalTimeIsAhead(
  decision: Decision,
  earlier: WaitStarts,
  checkInterval: number,
  now: Date,
): BoundedWait {
  const waitStarts = started(earlier, 'renewalTime', now);
  const start = new Date(startOf(waitStarts, 'renewalTime', now));
  if (isBeforeNextCheck(now, checkInterval, start)) return { ...decision, waitStarts };
  return { action: 'none', wait: 0, reason: `${decision.reason}; the next fleet run checks again`, waitStarts };
}

/**
 * Returns the decision of a restart while the interrupted execution still runs.
 *
 * @throws InvalidInputError after two minutes
 */
export function whileInterruptedExecutionRuns(restartOf: string, earlier: WaitStarts, now: Date): BoundedWait {
  const waitStarts = started(earlier, 'interruption', now);
  const end = startOf(waitStarts, 'interruption', now) + 1000 * interruption.bound;
  const wait = secondsUntil(end, interruption.wait, now);
  if (wait === 0) throwStillRunning(restartOf);
  return { action: 'wait', wait, reason: `${restartOf} has not ended`, waitStarts };
}

/** @throws SameNamesTimeoutError if the wait for certificates with the same names has reached its end */
export function assertWaitLeft(certificate: string, { action, wait, reason }: Decision): void {
  if (action !== 'wait' || wait > 0) return;
  throw new SameNamesTimeoutError({
    what: 'It waited for a certificate with the same names, and must not wait longer.',
    why: `By the ledger, ${reason}.`,
    remedy: 'The workflow retries. If the error repeats, check that execution, and stop it if it makes no progress.',
    certificate,
  });
}

/** Returns the start times with that of a wait that begins now, unless it has begun already. */
const started = (starts: WaitStarts, waitingFor: WaitingFor, now: Date): WaitStarts =>
  starts[waitingFor] ? starts : { ...starts, [waitingFor]: now.toISOString() };

const startOf = (starts: WaitStarts, waitingFor: WaitingFor, now: Date): number =>
  Date.parse(starts[waitingFor] ?? now.toISOString());

/** Returns the whole seconds until `end`, at most `longest`. 0 if it has passed. */
const secondsUntil = (end: number, longest: number, now: Date): number =>
  Math.max(0, Math.ceil(Math.min(longest, (end - now.getTime()) / 1000)));
