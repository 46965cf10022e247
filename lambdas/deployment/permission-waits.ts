import { AccessDeniedError, ThrottledError } from '../rules/errors.ts';
import type { Clock } from '../rules/ports.ts';

/** Seconds: a permission that was made a moment ago may need some before it holds, and a quota some until it is free. */
const permissionWaits = [5, 15] as const;

/** A call that is tried again when access is denied or calls are too many, three times in 20 seconds. */
export async function patiently<Result>(call: () => Promise<Result>, clock: Pick<Clock, 'sleep'>): Promise<Result> {
  for (const seconds of permissionWaits) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof AccessDeniedError || error instanceof ThrottledError)) throw error;
      await clock.sleep(seconds * 1000);
    }
  }
  return call();
}
