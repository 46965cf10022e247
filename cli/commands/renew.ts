import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import type { WorkflowExecution, Workflows } from '../../lambdas/domain/ports/workflows.ts';
import { readReport, type Target } from '../deployment.ts';
import { consoleLink } from '../executions.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped } from '../layout.ts';
import { minuteOf } from '../sentences.ts';
import type { Terminal } from '../terminal.ts';

export interface RenewOptions extends Target {
  /** Renew even if nothing is due. */
  readonly force?: boolean | undefined;
  /** Follow the execution to its end. */
  readonly watch?: boolean | undefined;
}

export interface RenewPorts {
  readonly deployments: Deployments;
  readonly workflows: Workflows;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/** Starts the renewal of a certificate with the operator's own credentials. */
export async function renew(name: string, options: RenewOptions, ports: RenewPorts): Promise<ExitCode> {
  const { deployments, workflows, terminal, clock } = ports;
  const { deployment, certificates } = await readReport(deployments, options, [name]);
  const started = clock.now().getTime().toString(36);
  const input = { certificate: name, ...(options.force && { force: true }) };
  const arn = await workflows.start(deployment.stateMachines.renewal, `${name}-${started}`, input);
  terminal.print(`Started the renewal of ${name}.\n  ${terminal.dim(consoleLink(arn))}`);
  const lease = certificates[0]?.lease;
  if (lease)
    terminal.print(wrapped(`Another execution works on ${name}, so this one waits for it.`, terminal.columns, 0));
  if (!options.watch) return exitCodes.done;
  return watch(arn, ports);
}

/** Time between two reads of the history, in ms. GetExecutionHistory has 5 calls a second in the smallest regions. */
const pollTime = 1_000;

/** Prints each state as the execution enters it, until the execution has ended. The workflow itself ends after five days. */
export async function watch(
  arn: string,
  { workflows, terminal, clock }: Pick<RenewPorts, 'workflows' | 'terminal' | 'clock'>,
): Promise<ExitCode> {
  let printed = 0;
  for (;;) {
    const execution = await workflows.describe(arn);
    const states = await workflows.states(arn);
    for (const { name, at } of states.slice(printed)) terminal.print(`  ${terminal.dim(minuteAndSecond(at))} ${name}`);
    printed = states.length;
    if (execution.status !== 'RUNNING' && execution.status !== 'PENDING_REDRIVE') return printEnd(execution, terminal);
    await clock.sleep(pollTime);
  }
}

const minuteAndSecond = (time: string): string => time.slice(11, 19);

function printEnd({ status, end, error, cause }: WorkflowExecution, terminal: Terminal): ExitCode {
  if (status === 'SUCCEEDED') {
    terminal.print(`The renewal has ended at ${minuteOf(end ?? '')} UTC.`);
    return exitCodes.done;
  }
  const why = error ? `${error}: ${cause ?? ''}` : `The execution was ${status.toLowerCase()}.`;
  terminal.print(terminal.red(wrapped(`The renewal has failed. ${why}`, terminal.columns, 0)));
  return exitCodes.attention;
}
