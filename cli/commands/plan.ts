import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import { counted, withMinutes } from '../../lambdas/domain/rules/wording.ts';
import { type Report, readReport, type Target } from '../deployment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodeOf, printFindings } from '../finding.ts';
import { table, wrapped } from '../layout.ts';
import { daysOfOrders, monthlyCost, type PlannedChange, plannedChanges } from '../planned-changes.ts';
import { type PlannedCheckPorts, plannedChecks } from '../planned-checks.ts';
import { minuteOf } from '../sentences.ts';
import type { SynthesisOptions } from '../synthesize.ts';
import { readSynthesizedConfig, type SynthesizedConfig, withStackRegion } from '../synthesized-config.ts';
import type { Terminal } from '../terminal.ts';

export interface PlanOptions extends Target, SynthesisOptions {
  /** Folder of a cloud assembly that `cdk synth` wrote. Without it, the app of this folder is synthesized. */
  readonly cdkOut?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface PlanPorts extends PlannedCheckPorts {
  readonly deployments: Deployments;
  readonly terminal: Terminal;
  /** Returns the folder of the cloud assembly of the app in this folder. */
  readonly synthesize: (options: SynthesisOptions) => Promise<string>;
}

/**
 * Prints what a deployment would do: changes, orders against the limits of the CAs, cost, and what is wrong with the zones, roles, permissions and quotas.
 *
 * @param portsIn makes the ports for a region. The stack of the app may have another one than the profile
 */
export async function plan(
  options: PlanOptions,
  portsIn: (region: string | undefined) => PlanPorts,
): Promise<ExitCode> {
  const folder = options.cdkOut ?? (await portsIn(options.region).synthesize(options));
  const read = readSynthesizedConfig(folder, options.stack);
  const region = options.region ?? read.region ?? undefined;
  const ports = portsIn(region);
  const { deployments, terminal, clock } = ports;
  const { stack } = read;
  const report = await deployedReport({ stack, region }, deployments);
  const config = withStackRegion(read.config, report?.deployment.region ?? region);
  const synthesized = { ...read, config };
  const deployed: readonly CertificateReport[] = report?.certificates ?? [];
  const changes = plannedChanges(config, deployed, clock.now());
  const { findings, unchecked } = await terminal.progress('Checking', (say) =>
    plannedChecks({ ...synthesized, changes, report, region }, ports, say),
  );
  const limits = limitsOf(config, changes);
  const compared = { stack, region: report?.deployment.region ?? region ?? null, deployed: report !== null };
  if (options.json) terminal.print(JSON.stringify({ compared, changes, limits, findings, unchecked }, null, 2));
  else printPlan({ synthesized, report, changes, limits, unchecked }, options, terminal);
  return options.json ? exitCodeOf(findings) : printFindings(findings, terminal);
}

/** Returns `null` before the first deployment of the stack. */
async function deployedReport(target: Target, deployments: Deployments): Promise<Report | null> {
  const deployed = await deployments.list();
  return deployed.some(({ stack }) => stack === target.stack) ? readReport(deployments, target) : null;
}

interface Limits {
  readonly orders: readonly { readonly issuer: string; readonly count: number; readonly days: number }[];
  readonly monthlyCost: number;
}

function limitsOf(config: DeployedConfig, changes: readonly PlannedChange[]): Limits {
  const orders = config.issuers.flatMap((issuer) => {
    const count = changes.filter(({ orderedFrom }) => orderedFrom === issuer.name).length;
    return count === 0 ? [] : [{ issuer: issuer.name, count, days: daysOfOrders(count, issuer) }];
  });
  const accounts = new Set(config.issuers.map(({ directoryUrl }) => directoryUrl)).size;
  return { orders, monthlyCost: monthlyCost(config.certificates.length, accounts) };
}

interface Plan {
  readonly synthesized: SynthesizedConfig;
  readonly report: Report | null;
  readonly changes: readonly PlannedChange[];
  readonly limits: Limits;
  readonly unchecked: readonly string[];
}

function printPlan(
  { synthesized, report, changes, limits, unchecked }: Plan,
  { cdkOut }: PlanOptions,
  terminal: Terminal,
): void {
  const line = (text: string) => terminal.print(wrapped(text, terminal.columns, 2));
  const { config, stack, at } = synthesized;
  const source = cdkOut === undefined ? 'of the app' : `in ${cdkOut}, written at ${minuteOf(at.toISOString())} UTC,`;
  const compared = report
    ? `the stack ${stack} in ${report.deployment.region}, version ${report.deployment.version}`
    : `no deployment of the stack ${stack}, so this is the first one`;
  line(
    `Compared the configuration ${source} (${counted(config.certificates.length, 'certificate')}) with ${compared}.`,
  );
  if (changes.length === 0) terminal.print('\nNo certificate changes.');
  else {
    const rows = changes.map(({ name, change, orderedFrom, reason }) => [
      change,
      name,
      orderedFrom ?? '-',
      withMinutes(reason),
    ]);
    const [header = '', ...lines] = table([['', 'name', 'ordered from', 'reason'], ...rows], terminal.columns);
    terminal.print(`\n${terminal.dim(header)}\n${lines.join('\n')}`);
  }
  terminal.print('');
  for (const { issuer, count, days } of limits.orders)
    line(
      `Orders at ${issuer}: ${count}, ${days === 0 ? 'within its limit' : `which its limit stretches over ${days.toFixed(1)} days`}.`,
    );
  line(`Cost: about USD ${limits.monthlyCost.toFixed(2)} a month, without the alarms.`);
  for (const each of unchecked) line(`Not checked: ${each}.`);
  terminal.print('');
}
