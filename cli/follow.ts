import { ThrottledError } from '../lambdas/domain/contract/errors.ts';
import type { Clock } from '../lambdas/domain/ports/runtime.ts';
import type { WorkflowExecution, Workflows } from '../lambdas/domain/ports/workflows.ts';
import { withMinutes } from '../lambdas/domain/rules/wording.ts';
import { consoleLink, endingOf } from './executions.ts';
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts';
import { wrapped } from './layout.ts';
import { problemOf } from './problems.ts';
import { minuteOf } from './sentences.ts';
import type { Terminal } from './terminal.ts';

export interface FollowPorts {
  readonly workflows: Pick<Workflows, 'describe' | 'states'>;
  readonly terminal: Terminal;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Time between two reads of the history, in ms. GetExecutionHistory has 5 calls a second in the smallest regions. */
const pollTime = 1_000;

/** Failed reads in a row after which the command stops following. With the waits between them they take about four minutes. */
const mostFailures = 12;
const longestWait = 30_000;

/**
 * Prints each state as the execution enters it, and the error of a task that fails, until the execution has ended. The workflows themselves end after
 * five days at most.
 *
 * @throws CommandError if the execution cannot be read
 */
export async function follow(arn: string, { workflows, terminal, clock }: FollowPorts): Promise<WorkflowExecution> {
  let printed = 0;
  let failures = 0;
  // The states whose failure is printed. A task fails after its state was entered, and a retry may fail again.
  const known = new Set<number>();
  for (;;) {
    try {
      const execution = await workflows.describe(arn);
      const states = await workflows.states(arn);
      for (const [index, { name, at, failed }] of states.entries()) {
        if (index >= printed) terminal.print(`  ${terminal.dim(at.slice(11, 19))} ${name}`);
        if (failed && !known.has(index)) terminal.print(`           ${terminal.red(`failed: ${failed}`)}`);
        if (failed) known.add(index);
      }
      printed = states.length;
      failures = 0;
      if (execution.status !== 'RUNNING' && execution.status !== 'PENDING_REDRIVE') return execution;
    } catch (error) {
      failures += 1;
      if (!(error instanceof ThrottledError) || failures > mostFailures) throw notFollowed(arn, error);
    }
    await clock.sleep(Math.min(longestWait, pollTime * 2 ** failures));
  }
}

/** The started execution continues, so its operator has to know how to look at it again. */
function notFollowed(arn: string, error: unknown): CommandError {
  const { message, exitCode } = problemOf(error);
  return new CommandError(
    `${message}\nThe execution continues, but it is no longer followed: ${consoleLink(arn)}`,
    exitCode,
  );
}

/** Prints how an execution has ended. `what` is its subject, such as `The renewal`. */
export function printEnd(
  what: string,
  { status, end, error, cause }: WorkflowExecution,
  { print, red, columns }: Terminal,
): ExitCode {
  if (status === 'SUCCEEDED') {
    print(`${what} has ended at ${minuteOf(end ?? '')} UTC.`);
    return exitCodes.done;
  }
  const why = error ? `${error}: ${cause ?? ''}` : `The execution ${endingOf(status)}.`;
  print(red(wrapped(withMinutes(`${what} has failed. ${why}`), columns, 0)));
  return exitCodes.attention;
}
