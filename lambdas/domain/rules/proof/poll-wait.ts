/**
 * Seconds between the first polls of an order, unless the CA sends a Retry-After. Validation usually takes a second or two, so the first polls
 * are close together.
 */
const firstWaits = [1, 2, 3, 5, 10, 15] as const;
/** Seconds between later polls. */
const laterWait = 30;

/**
 * Number of waits between polls after which an order times out. For `ready` they are 36 + 14 × 30 = 456 s, because a CA that validates from five
 * places takes seconds. For `valid` they are 36 + 60 × 30 = 1,836 s, about half an hour, because ten minutes and more are normal for some CAs.
 */
export const pollTries = { ready: 20, valid: 66 } as const;

/** Longest wait in seconds. It shortens a longer Retry-After, because an execution that waits for a day does not show that it still works. */
const longestWait = 3600;

/** Returns the seconds until the next poll, after `tries` waits. The CA's Retry-After (RFC 8555 §7.5.1) has priority, and is at least 1 s. */
export function pollWait(tries: number, retryAfter: number | null): number {
  if (retryAfter !== null) return Math.min(Math.max(Math.ceil(retryAfter), 1), longestWait);
  return firstWaits[tries] ?? laterWait;
}
