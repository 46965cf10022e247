import type { Retrier } from '../infra/workflows/state-machine.ts';
import { ModelError } from './service-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Runs a task and repeats it as Step Functions does with these policies, with full jitter where a policy says so. */
export async function withRetries<Result>(
  retriers: readonly Retrier[],
  time: VirtualTime,
  task: () => Promise<Result>,
): Promise<Result> {
  const counts = new Map<Retrier, number>();
  for (;;) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const retrier = retriers.find(
        ({ ErrorEquals: names }) =>
          names.includes(error.name) || names.includes('States.ALL') || names.includes('States.TaskFailed'),
      );
      const count = (retrier && counts.get(retrier)) ?? 0;
      if (!retrier || count >= retrier.MaxAttempts) throw error;
      counts.set(retrier, count + 1);
      await time.sleep(1000 * delay(retrier, count, time.random()));
    }
  }
}

function delay(
  { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy }: Retrier,
  count: number,
  random: number,
): number {
  const longest = Math.min(IntervalSeconds * BackoffRate ** count, MaxDelaySeconds);
  return JitterStrategy === 'FULL' ? longest * random : longest;
}
