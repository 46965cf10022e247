import { AccessDeniedError, ThrottledError } from '../domain/contract/errors.ts';
import type { Clock } from '../domain/ports/runtime.ts';

/** Seconds between the attempts. A new permission may not work for some seconds, and a throttled API may need some seconds, too. */
const permissionWaits = [5, 15] as const;

/**
 * Time in milliseconds after which no further attempt is made, because the function has a timeout. A single call that hangs takes longer, because it
 * is sent four times with 10 s each.
 */
const longestTime = 30_000;

/** Makes a call, at most three times, if access is denied or the call is throttled. The waits take 20 s in all, and the calls come on top. */
export async function withPermissionRetries<Result>(
  call: () => Promise<Result>,
  clock: Pick<Clock, 'now' | 'sleep'>,
): Promise<Result> {
  const deadline = clock.now().getTime() + longestTime;
  for (const seconds of permissionWaits) {
    try {
      return await call();
    } catch (error) {
      const temporary = error instanceof AccessDeniedError || error instanceof ThrottledError;
      if (!temporary || clock.now().getTime() > deadline) throw error;
      await clock.sleep(seconds * 1000);
    }
  }
  return call();
}
