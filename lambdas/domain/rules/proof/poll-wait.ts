import type { RefusedProofs } from '../../contract/steps.ts';

/** A bounded wait, in seconds. */
interface Polling {
  /** Time after which the wait is a failure. */
  readonly bound: number;
  /** The waits between the first polls if the CA sends no Retry-After. The last one is repeated. */
  readonly schedule: readonly [number, ...number[]];
}

/** Validation usually takes a second or two, so the first polls are close together. */
const order: Polling['schedule'] = [1, 2, 3, 5, 10, 15, 30];

/**
 * The waits of a renewal for DNS and for the CA. Route 53 usually needs up to 60 s, and the first checks are early for fast zones. A CA that validates
 * from several places may need minutes, and for some CAs ten minutes and more are normal between CSR and certificate.
 */
export const pollings = {
  propagation: { bound: 15 * 60, schedule: [1, 5, 10, 15] },
  ready: { bound: 15 * 60, schedule: order },
  valid: { bound: 30 * 60, schedule: order },
} as const satisfies Readonly<Record<string, Polling>>;

/**
 * Nothing is known about refused proofs when the wait begins. The authorizations are read after 60, 120, 240 and 480 s, because an order of many
 * names has as many of them.
 */
export const noRefusedProofs = { readAfter: 60, answered: [] } as const satisfies RefusedProofs;

/**
 * Returns the whole seconds until the next poll, or `null` if the bound has passed. `waited` is the time since the wait began.
 *
 * A Retry-After (RFC 8555 §7.5.1) has priority over the schedule, but it is cut to a tenth of the time left, which is three minutes at most. ZeroSSL
 * sends a day. Every wait is at least 1 s and a fiftieth of `waited`. So a Retry-After of 1 s causes at most 50 + 50 × ln(36) = 230 polls in half an
 * hour. Each poll adds nine events to the history of the execution, which may have 25,000.
 */
export function pollWait(waited: number, { bound, schedule }: Polling, retryAfter: number | null): number | null {
  const left = bound - waited;
  if (left <= 0) return null;
  const wanted = retryAfter === null ? scheduled(schedule, waited) : Math.min(retryAfter, left / 10);
  return Math.ceil(Math.min(Math.max(wanted, 1, waited / 50), Math.max(left, 1)));
}

/** Returns the wait that the schedule has at this time. */
function scheduled(schedule: Polling['schedule'], waited: number): number {
  let until = 0;
  for (const wait of schedule) {
    until += wait;
    if (waited < until) return wait;
  }
  return schedule.at(-1) ?? schedule[0];
}
