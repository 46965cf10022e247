/**
 * Seconds between looks at an order while the CA says nothing else: validation takes a second or two as a rule, so the first
 * looks are close together.
 */
const firstWaits = [1, 2, 3, 5, 10, 15] as const;
const laterWait = 30;

/**
 * Looks at an order before it is given up. `ready`: 36 + 14 x 30 = 456 s; a CA that validates from five places takes
 * seconds. `valid`: 36 + 60 x 30 s is half an hour, since ten minutes and more are normal for some CAs.
 */
export const pollTries = { ready: 20, valid: 66 } as const;

/** A Retry-After beyond an hour is asked again after one: an execution that sleeps for a day cannot be seen to be alive. */
const longestWait = 3600;

/** The wait before look number `tries + 1`; the CA's Retry-After (RFC 8555 §7.5.1) comes first. */
export function pollWait(tries: number, retryAfter: number | null): number {
  if (retryAfter !== null) return Math.min(Math.max(Math.ceil(retryAfter), 1), longestWait);
  return firstWaits[tries] ?? laterWait;
}
