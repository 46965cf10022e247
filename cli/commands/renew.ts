import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../../lambdas/domain/ports/workflows.ts';
import { withMinutes } from '../../lambdas/domain/rules/wording.ts';
import { commandFor, readReport, type Target } from '../deployment.ts';
import { consoleLink } from '../executions.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { follow, printEnd } from '../follow.ts';
import { wrapped } from '../layout.ts';
import { minuteOf } from '../sentences.ts';
import { silenced, type Terminal } from '../terminal.ts';

export interface RenewOptions extends Target {
  /** Renew even if nothing is due. */
  readonly force?: boolean | undefined;
  /** Follow the execution to its end. */
  readonly watch?: boolean | undefined;
  readonly json?: boolean | undefined;
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
  const progress = options.json ? silenced(terminal) : terminal;
  progress.print(`Started the renewal of ${name}.\n  ${terminal.dim(consoleLink(arn))}`);
  if (certificates[0]?.lease)
    progress.print(
      wrapped(
        `Another execution works on ${name}. ${options.force ? 'This one waits, unless the other one orders.' : 'While it runs, this one renews nothing.'}`,
        terminal.columns,
        0,
      ),
    );
  if (!options.watch) {
    if (options.json) terminal.print(JSON.stringify({ arn, status: 'RUNNING', input }, null, 2));
    return exitCodes.done;
  }
  const ended = await follow(arn, { ...ports, terminal: progress });
  const output = ended.output === null ? null : (JSON.parse(ended.output) as RenewalOutput);
  if (options.json) terminal.print(JSON.stringify({ ...ended, input, output }, null, 2));
  const code = printEnd('The renewal', ended, progress);
  if (code === exitCodes.done && output !== null)
    progress.print(wrapped(resultOf(name, output, options), terminal.columns, 0));
  return code;
}

/** The output of the renewal workflow. `reason` says why there was nothing to do. */
interface RenewalOutput {
  readonly reason?: string;
  readonly current?: { readonly serialNumber: string; readonly notAfter: string } | null;
  /** Whether all endpoints present the certificate. `null` if none were checked. */
  readonly served?: boolean | null;
}

function resultOf(name: string, { reason, current, served = null }: RenewalOutput, target: Target): string {
  if (reason !== undefined) return `${name}: ${withMinutes(reason)}.`;
  const endpoints =
    served === null
      ? ''
      : served
        ? ' Its endpoints present it.'
        : ` An endpoint does not present it. ${commandFor(`status ${name}`, target)} shows which.`;
  return current
    ? `${name} has the serial number ${current.serialNumber} and is valid until ${minuteOf(current.notAfter)} UTC.${endpoints}`
    : `${name} was renewed.${endpoints}`;
}
