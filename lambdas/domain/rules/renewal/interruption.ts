import { InvalidInputError } from '../../contract/errors.ts';
import type { ExecutionDescription } from '../../ports/executions.ts';
import type { ErrorName } from '../failure/failure-treatments.ts';

/** Returns the ARN without the name of the execution, which is the same for all executions of a state machine. */
const withoutName = (arn: string): string => arn.slice(0, arn.lastIndexOf(':'));

const refusal = (restartOf: string, why: string): InvalidInputError =>
  new InvalidInputError({
    what: `${restartOf} is not restarted.`,
    why,
    remedy: 'The next fleet run checks its certificate. To renew now, start a renewal by hand.',
  });

/** @throws InvalidInputError unless both executions are of the same state machine */
export function assertSameWorkflow(restartOf: string, execution: string): void {
  if (withoutName(restartOf) === withoutName(execution)) return;
  throw refusal(restartOf, 'It is no execution of this state machine.');
}

/**
 * Tells whether the execution was interrupted, or still runs by DescribeExecution, because an event about its end can arrive earlier. An execution
 * is interrupted if it was stopped, timed out, failed inside Step Functions without an error of this project, or if its functions were replaced.
 *
 * @throws InvalidInputError if the execution has ended by itself
 */
export function interruptionOf(
  restartOf: string,
  { status, error }: Pick<ExecutionDescription, 'status' | 'error'>,
): 'interrupted' | 'running' {
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return 'running';
  if (status === 'ABORTED' || status === 'TIMED_OUT') return 'interrupted';
  if (status === 'FAILED' && isInterruption(error)) return 'interrupted';
  throw refusal(
    restartOf,
    `It was not interrupted, because it ended with ${status}${error === null ? '' : ` and ${error}`}.`,
  );
}

const functionsReplaced: ErrorName = 'FunctionsReplacedError';

const isInterruption = (error: string | null): boolean =>
  error === null || error.startsWith('States.') || error === functionsReplaced;

/** @throws InvalidInputError always, if Step Functions does not know the execution */
export function throwUnknownExecution(restartOf: string): never {
  throw refusal(restartOf, 'Step Functions knows no execution with this ARN.');
}

/** @throws InvalidInputError always, after the wait for the end of the execution */
export function throwStillRunning(restartOf: string): never {
  throw refusal(restartOf, 'It has been running for two minutes since this restart began.');
}
