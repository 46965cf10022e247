import { AccessDeniedError } from '../../lambdas/domain/contract/errors.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { WorkflowExecution, Workflows } from '../../lambdas/domain/ports/workflows.ts';
import { withMinutes } from '../../lambdas/domain/rules/wording.ts';
import { readReport, type Target } from '../deployment.ts';
import { consoleLink, endingOf, executionsOf } from '../executions.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped, wrappedMessage } from '../layout.ts';
import { problemOf } from '../problems.ts';
import { duration, minuteOf } from '../sentences.ts';
import type { Terminal } from '../terminal.ts';
import { printCertificate } from './status.ts';

export interface ExplainOptions extends Target {
  readonly json?: boolean | undefined;
}

export interface ExplainPorts {
  readonly deployments: Deployments;
  readonly workflows: Workflows;
  readonly terminal: Terminal;
}

/** Executions that are shown. */
const shown = 5;

/** Prints why a certificate is or is not due, as the renewal workflow decides, and how its last executions ended. */
export async function explain(name: string, options: ExplainOptions, ports: ExplainPorts): Promise<ExitCode> {
  const { deployments, workflows, terminal } = ports;
  const report = await readReport(deployments, options, [name]);
  const [certificate] = report.certificates;
  if (certificate && !options.json) printCertificate(certificate, new Date(report.at), terminal);
  try {
    const executions = await executionsOf(name, report.deployment.stateMachines.renewal, workflows, shown);
    if (options.json) terminal.print(JSON.stringify({ ...report, executions }, null, 2));
    else await printExecutions(executions, ports);
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    // The operator may read the report, so it is shown without the executions.
    if (options.json) terminal.print(JSON.stringify({ ...report, executions: null }, null, 2));
    const { message, exitCode } = problemOf(error);
    terminal.note(`\n${wrappedMessage(message, terminal.columns)}`);
    return exitCode;
  }
  return certificate && certificate.attention.length > 0 ? exitCodes.attention : exitCodes.done;
}

async function printExecutions(executions: readonly WorkflowExecution[], ports: ExplainPorts): Promise<void> {
  const { terminal } = ports;
  terminal.print(`\n${terminal.bold('Last executions')}`);
  if (executions.length === 0) terminal.print('  none');
  for (const execution of executions) await printExecution(execution, ports);
}

async function printExecution(execution: WorkflowExecution, { workflows, terminal }: ExplainPorts): Promise<void> {
  const { arn, status, start, end, error, cause } = execution;
  const took = end ? `, took ${duration(Date.parse(end) - Date.parse(start))}` : '';
  const states = await workflows.states(arn);
  // The last state of a failed execution is always the same one.
  const failed = status === 'FAILED' ? states.findLast((each) => each.failed) : undefined;
  const last = failed ?? states.at(-1);
  const line = `${minuteOf(start)} UTC ${endingOf(status)}${failed ? ' in' : ', last state'} ${last?.name ?? 'unknown'}${took}`;
  terminal.print(`  ${wrapped(line, terminal.columns, 2)}`);
  if (error) terminal.print(`    ${wrapped(withMinutes(`${error}: ${cause ?? ''}`), terminal.columns, 4)}`);
  terminal.print(terminal.dim(`    ${consoleLink(arn)}`));
}
