import { Logger } from '@aws-lambda-powertools/logger';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import { toLambdaError } from '../../../domain/contract/failure.ts';
import type { StepEvent } from '../../../domain/contract/steps.ts';
import type { StepLog } from '../../../domain/ports/runtime.ts';
import { stepLog } from './step-log.ts';

/** What a step is once its ports are in place. Its input is what the workflow sent, typed in `domain/contract/steps.ts`. */
type BoundStep = (input: never) => Promise<unknown>;

/**
 * The handler of a function: dispatches on `event.step`, writes one JSON line a step, and turns what a step throws into an error whose
 * name Step Functions can match. `steps` is called inside the invocation, so that adapters are made there; what it hands to `atEnd` is
 * called when the invocation ends, so that no socket outlives it.
 */
export function stepHandler(
  steps: (log: StepLog, atEnd: (close: () => void) => void) => Readonly<Record<string, BoundStep>>,
) {
  return async (event: StepEvent): Promise<unknown> => {
    const logger = new Logger();
    logger.appendKeys({ step: event.step, ...event.run });
    const started = performance.now();
    const closers: (() => void)[] = [];
    try {
      const step = steps(stepLog(logger), (close) => closers.push(close))[event.step];
      if (!step)
        throw new UnexpectedError({
          what: `This function has no step ${event.step}: workflow and functions are of different versions.`,
        });
      const output = await step({ ...event.run, ...(event.input as object) } as never);
      logger.info('done', { milliseconds: Math.round(performance.now() - started) });
      return output;
    } catch (error) {
      logger.error('failed', {
        milliseconds: Math.round(performance.now() - started),
        ...(error instanceof Error ? { error } : { thrown: String(error) }),
      });
      throw toLambdaError(error, event.run.certificate);
    } finally {
      for (const close of closers) close();
    }
  };
}
