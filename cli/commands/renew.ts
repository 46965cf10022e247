import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../../lambdas/domain/ports/workflows.ts';
import { readReport, type Target } from '../deployment.ts';
import { consoleLink } from '../executions.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { follow, printEnd } from '../follow.ts';
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
  const ended = await follow(arn, ports);
  const code = printEnd('The renewal', ended, terminal);
  if (code === exitCodes.done && ended.output !== null)
    terminal.print(wrapped(resultOf(name, JSON.parse(ended.output) as RenewalOutput), terminal.columns, 0));
  return code;
}

/** The output of the renewal workflow. `reason` says why there was nothing to do. */
interface RenewalOutput {
  readonly reason?: string;
  readonly current?: { readonly serialNumber: string; readonly notAfter: string } | null;
}

function resultOf(name: string, { reason, current }: RenewalOutput): string {
  if (reason !== undefined) return `${name}: ${reason}.`;
  return current
    ? `${name} has the serial number ${current.serialNumber} and is valid until ${minuteOf(current.notAfter)} UTC.`
    : `${name} was renewed.`;
}
