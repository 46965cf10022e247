/**
 * Time after which a lease is free if DescribeExecution does not know its execution, in ms. DescribeExecution is eventually consistent, so it may
 * not know an execution that has just started.
 */
const unknownGracePeriod = 600_000;

/** Tells whether a lease is free, by the status of the execution that took it. `since` is the time at which it was taken, in RFC 3339. */
export function isLeaseFree(status: 'live' | 'ended' | 'unknown', since: string | null, now: Date): boolean {
  const age = now.getTime() - Date.parse(since ?? '1970-01-01T00:00:00Z');
  return status === 'ended' || (status === 'unknown' && age > unknownGracePeriod);
}
