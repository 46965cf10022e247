import { AccessDeniedError, ThrottledError } from '../domain/contract/errors.ts';
import type { Clock } from '../domain/ports/runtime.ts';

/** Seconds: a permission that was made a moment ago may need some before it holds, and a quota some until it is free. */
const permissionWaits = [5, 15] as const;

/** Milliseconds after which none is tried again: the function's own time is counted. A call that hangs, four tries of 10 s, takes more. */
const longest = 30_000;

/** A call that is tried again when access is denied or calls are too many, three times in 20 seconds and what they take. */
export async function patiently<Result>(
  call: () => Promise<Result>,
  clock: Pick<Clock, 'now' | 'sleep'>,
): Promise<Result> {
  const deadline = clock.now().getTime() + longest;
  for (const seconds of permissionWaits) {
    try {
      return await call();
    } catch (error) {
      const passes = error instanceof AccessDeniedError || error instanceof ThrottledError;
      if (!passes || clock.now().getTime() > deadline) throw error;
      await clock.sleep(seconds * 1000);
    }
  }
  return call();
}
