import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { StepEvent } from '../rules/contract.ts';
import { PerennialError, UnexpectedError } from '../rules/errors.ts';
import { toLambdaError } from '../rules/failure.ts';
import type { Clock, FleetMetrics, StepLog } from '../rules/ports.ts';

/** The real clock, and the real dice. */
export const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  random: () => Math.random(),
};

/** What a step is once its ports are in place. Its input is what the workflow sent, typed in `rules/contract.ts`. */
type BoundStep = (input: never) => Promise<unknown>;

/**
 * A function of the house: dispatches on `event.step`, writes one JSON line a step, and turns what a step throws into an error whose
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
      const step = steps(logLines(logger), (close) => closers.push(close))[event.step];
      if (!step)
        throw new UnexpectedError(
          `This function has no step ${event.step}: workflow and functions are of different versions.`,
        );
      const output = await step({ ...event.run, ...(event.input as object) } as never);
      logger.info('done', { milliseconds: Math.round(performance.now() - started) });
      return output;
    } catch (error) {
      logger.error('failed', {
        milliseconds: Math.round(performance.now() - started),
        ...(error instanceof Error ? { error } : { thrown: String(error) }),
        ...(error instanceof PerennialError && error.problem ? { problem: error.problem } : {}),
      });
      throw toLambdaError(error);
    } finally {
      for (const close of closers) close();
    }
  };
}

function logLines(logger: Logger): StepLog {
  return {
    info: (message, details = {}) => logger.info(message, { ...details }),
    warn: (message, details = {}) => logger.warn(message, { ...details }),
    error: (message, details = {}) => logger.error(message, { ...details }),
  };
}

/** Embedded metric format: lines in the log that CloudWatch reads as metrics, no call and no permission. */
export const fleetMetrics: FleetMetrics = {
  fleet: (values) => {
    const metrics = new Metrics();
    for (const [name, value] of Object.entries(values)) metrics.addMetric(name, MetricUnit.Count, value);
    metrics.publishStoredMetrics();
  },
  minimumDaysToExpiry: (days) => {
    const metrics = new Metrics();
    metrics.addMetric('MinimumDaysToExpiry', MetricUnit.NoUnit, days);
    metrics.publishStoredMetrics();
  },
};
