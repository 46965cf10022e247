import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import { acmFindings } from '../acm-quotas.ts';
import { type Report, readReport, type Target } from '../deployment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodeOf, type Finding, printFindings } from '../finding.ts';
import { table, wrapped } from '../layout.ts';
import { daysOfOrders, importsOf, monthlyCost, type PlannedChange, plannedChanges } from '../planned-changes.ts';
import { counted, minuteOf } from '../sentences.ts';
import type { SynthesisOptions } from '../synthesize.ts';
import { readSynthesizedConfig, type SynthesizedConfig } from '../synthesized-config.ts';
import type { Terminal } from '../terminal.ts';
import { zoneFindings } from '../zones.ts';
import type { DoctorPorts } from './doctor.ts';

export interface PlanOptions extends Target, SynthesisOptions {
  /** Folder of a cloud assembly that `cdk synth` wrote. Without it, the app of this folder is synthesized. */
  readonly cdkOut?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface PlanPorts extends Pick<DoctorPorts, 'deployments' | 'zones' | 'checks' | 'terminal' | 'clock'> {
  /** Returns the folder of the cloud assembly of the app in this folder. */
  readonly synthesize: (options: SynthesisOptions) => Promise<string>;
}

/**
 * Prints what a deployment would do: changes, orders against the limits of the CAs, imports, cost, and what is wrong with the zones.
 *
 * @param portsIn makes the ports for a region. The stack of the app may have another one than the profile
 */
export async function plan(
  options: PlanOptions,
  portsIn: (region: string | undefined) => PlanPorts,
): Promise<ExitCode> {
  const folder = options.cdkOut ?? (await portsIn(options.region).synthesize(options));
  const synthesized = readSynthesizedConfig(folder, options.stack);
  const region = options.region ?? synthesized.region ?? undefined;
  const { deployments, zones, checks, terminal, clock } = portsIn(region);
  const { config, stack } = synthesized;
  const report = await deployedReport({ stack, region }, deployments);
  const deployed: readonly CertificateReport[] = report?.certificates ?? [];
  const changes = plannedChanges(config, deployed, clock.now());
  // A region that is a token of the CDK is that of the stack.
  const uses = new Map(
    [...importsOf(config, changes)].map(([each, use]) => [each.startsWith('@') ? region : each, use] as const),
  );
  const findings = [
    ...(await checkedZones(config, changes, { zones, clock, rootServers: report?.deployment.rootServers ?? [] })),
    ...(await acmFindings(uses, checks)),
  ];
  const limits = limitsOf(config, changes);
  const compared = { stack, region: report?.deployment.region ?? region ?? null, deployed: report !== null };
  if (options.json) terminal.print(JSON.stringify({ compared, changes, limits, findings }, null, 2));
  else printPlan({ synthesized, report, changes, limits }, options, terminal);
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

/** Checks the zones of the certificates that would be ordered. An id that the CDK knows only after the deployment cannot be checked before it. */
async function checkedZones(
  config: DeployedConfig,
  changes: readonly PlannedChange[],
  { zones, clock, rootServers }: Pick<PlanPorts, 'zones' | 'clock'> & { readonly rootServers: readonly string[] },
): Promise<readonly Finding[]> {
  const ordered = new Set(changes.flatMap(({ name, orderedFrom }) => (orderedFrom === null ? [] : [name])));
  const isKnown = (zone: DeployedConfig['hostedZones'][number]) =>
    ![zone.id, zone.role?.arn ?? ''].some((id) => id.startsWith('@'));
  const checked = config.certificates.flatMap(
    ({ name, identifiers, challengeAliases, hostedZones, issuers: [issuer = -1] }) => {
      const at = config.issuers[issuer];
      const known = hostedZones.every((zone) => config.hostedZones.slice(zone, zone + 1).every(isKnown));
      if (!ordered.has(name) || !at || !known) return [];
      return [{ name, identifiers, ...(challengeAliases && { challengeAliases }), issuer: at }];
    },
  );
  if (checked.length === 0) return [];
  return zoneFindings(checked, config.hostedZones.filter(isKnown), new Map(), { ...zones(rootServers), clock });
}

interface Plan {
  readonly synthesized: SynthesizedConfig;
  readonly report: Report | null;
  readonly changes: readonly PlannedChange[];
  readonly limits: Limits;
}

function printPlan({ synthesized, report, changes, limits }: Plan, { cdkOut }: PlanOptions, terminal: Terminal): void {
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
    const rows = changes.map(({ name, change, orderedFrom, reason }) => [change, name, orderedFrom ?? '-', reason]);
    const [header = '', ...lines] = table([['', 'name', 'ordered from', 'reason'], ...rows], terminal.columns);
    terminal.print(`\n${terminal.dim(header)}\n${lines.join('\n')}`);
  }
  terminal.print('');
  for (const { issuer, count, days } of limits.orders)
    line(
      `Orders at ${issuer}: ${count}, ${days === 0 ? 'within its limit' : `which its limit stretches over ${days.toFixed(1)} days`}.`,
    );
  line(`Cost: about USD ${limits.monthlyCost.toFixed(2)} a month, without the alarms.`);
  terminal.print('');
}
