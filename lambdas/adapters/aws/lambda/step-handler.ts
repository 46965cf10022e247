import { FunctionsReplacedError, UnexpectedError } from '../../../domain/contract/errors.ts';
import { toLambdaError } from '../../../domain/contract/failure.ts';
import { type StepEvent, stepFormat } from '../../../domain/contract/steps.ts';
import type { StepLog } from '../../../domain/ports/runtime.ts';
import { createLogger, stepLog } from './step-log.ts';

/** A step with its ports bound. Its input is that of the workflow, with a type of `domain/contract/steps.ts`. */
type BoundStep = (input: never) => Promise<unknown>;

/**
 * Largest output of a step in bytes. Step Functions accepts 262,144 bytes with the metadata of the call. A larger state would end the execution with
 * `States.DataLimitExceeded`, which no Catch handles.
 */
const largestOutput = 200_000;

/**
 * Creates the handler of a function. It calls the step `event.step`, writes one JSON line for each step, and encodes a thrown error so that Step
 * Functions can match its name. `steps` is called in the invocation, so that adapters are created there. Functions that it passes to `atEnd` are
 * called at the end of the invocation, so that no socket stays open.
 */
export function stepHandler(
  steps: (log: StepLog, atEnd: (close: () => void) => void) => Readonly<Record<string, BoundStep>>,
) {
  return async (event: StepEvent): Promise<unknown> => {
    const logger = createLogger();
    logger.appendKeys({ step: event.step, ...event.run });
    const started = performance.now();
    const closers: (() => void)[] = [];
    try {
      const step = steps(stepLog(logger), (close) => closers.push(close))[event.step];
      if (!step || event.format !== stepFormat) throw functionsReplaced(event);
      const output = await step({ ...event.run, ...(event.input as object) } as never);
      const bytes = Buffer.byteLength(JSON.stringify(output ?? null));
      if (bytes > largestOutput)
        throw new UnexpectedError({
          what: `The output of the step ${event.step} has ${bytes} bytes, and the limit is ${largestOutput}.`,
        });
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

const functionsReplaced = ({ step, format }: StepEvent): FunctionsReplacedError =>
  new FunctionsReplacedError({
    what: `The step ${step} was not run, because the execution and the functions are of different versions.`,
    why: `A deployment has replaced the functions. The execution calls ${step} in the format ${format}, and the functions have the format ${stepFormat}.`,
    remedy:
      'A new execution checks the certificate. Start a request of the accounts workflow again, and a forced renewal that has not ordered yet.',
  });
