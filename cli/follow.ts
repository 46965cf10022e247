import type { Clock } from '../lambdas/domain/ports/runtime.ts';
import type { WorkflowExecution, Workflows } from '../lambdas/domain/ports/workflows.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { wrapped } from './layout.ts';
import { minuteOf } from './sentences.ts';
import type { Terminal } from './terminal.ts';

export interface FollowPorts {
  readonly workflows: Pick<Workflows, 'describe' | 'states'>;
  readonly terminal: Terminal;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Time between two reads of the history, in ms. GetExecutionHistory has 5 calls a second in the smallest regions. */
const pollTime = 1_000;

/** Prints each state as the execution enters it, until the execution has ended. The workflows themselves end after five days at most. */
export async function follow(arn: string, { workflows, terminal, clock }: FollowPorts): Promise<WorkflowExecution> {
  let printed = 0;
  for (;;) {
    const execution = await workflows.describe(arn);
    const states = await workflows.states(arn);
    for (const { name, at } of states.slice(printed)) terminal.print(`  ${terminal.dim(at.slice(11, 19))} ${name}`);
    printed = states.length;
    if (execution.status !== 'RUNNING' && execution.status !== 'PENDING_REDRIVE') return execution;
    await clock.sleep(pollTime);
  }
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
  const why = error ? `${error}: ${cause ?? ''}` : `The execution was ${status.toLowerCase()}.`;
  print(red(wrapped(`${what} has failed. ${why}`, columns, 0)));
  return exitCodes.attention;
}
