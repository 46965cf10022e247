import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { OperatorChecks } from '../../lambdas/domain/ports/operator-checks.ts';
import type { RolePermissions } from '../../lambdas/domain/ports/role-permissions.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../../lambdas/domain/ports/workflows.ts';
import { unknownLifetime } from '../../lambdas/domain/rules/certificate/known-profiles.ts';
import { counted } from '../../lambdas/domain/rules/wording.ts';
import { type AcmUse, acmFindings } from '../acm-quotas.ts';
import { type Report, readReport, type Target } from '../deployment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodeOf, type Finding, findingOf, printFindings, ToFix } from '../finding.ts';
import { lastSelectionText } from '../last-selection.ts';
import { permissionFindings, usedResources } from '../permissions.ts';
import { renewalsOfYear } from '../planned-changes.ts';
import { lastRegistration } from '../registration.ts';
import { duration } from '../sentences.ts';
import type { Terminal } from '../terminal.ts';
import { zoneRoleFindings } from '../zone-roles.ts';
import { type MakeZonePorts, zoneFindings } from '../zones.ts';

export interface DoctorOptions extends Target {
  readonly json?: boolean | undefined;
}

export interface DoctorPorts {
  readonly deployments: Deployments;
  readonly workflows: Pick<Workflows, 'list' | 'describe'>;
  readonly checks: OperatorChecks;
  readonly permissions: RolePermissions;
  readonly zones: MakeZonePorts;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/** Checks everything that renewals need. Each line is OK or says how to fix it. A denied call does not end the other checks. */
export async function doctor(options: DoctorOptions, ports: DoctorPorts): Promise<ExitCode> {
  const { deployments, permissions, terminal, clock, zones } = ports;
  const report = await readReport(deployments, options);
  const { deployment, certificates, at } = report;
  const found = (check: string, text: string): Finding => ({ check, result: 'ok', text });
  const drift = Math.abs(clock.now().getTime() - Date.parse(at));
  const registration = await lastRegistration(report, ports.workflows);
  const names = certificates.map(({ name, identifiers, challengeAliases, issuer }) => {
    const challenges = deployment.issuers.find((each) => each.name === issuer)?.challenges ?? [];
    return { name, identifiers, ...(challengeAliases && { challengeAliases }), issuer: { name: issuer, challenges } };
  });
  const { hostedZonesAs, dns } = zones(deployment.rootServers);
  const used = usedResources(report);
  const findings = await terminal.progress('Checking', async (say) => [
    found('credentials', `accepted in account ${deployment.account}`),
    found('stack', `${deployment.stack} in ${deployment.region}, version ${deployment.version}`),
    await findingOf('schedule', () => scheduled(report, ports)),
    await findingOf('fleet', () => lastSelectionText(report, ports.workflows)),
    await findingOf('notifications', () => subscriptions(report, ports)),
    registration.finding,
    ...(await zoneRoleFindings(deployment.hostedZones, { hostedZonesAs, permissions })),
    ...(await zoneFindings(names, deployment.hostedZones, registration.accounts, { hostedZonesAs, dns, clock }, say)),
    ...(await permissionFindings(deployment, used, used, permissions)),
    ...(await quotas(report, ports)),
    await findingOf('clock', async () => {
      if (drift < mostDrift) return `differs from that of AWS by ${duration(drift)}`;
      throw new ToFix(
        `This machine's clock differs from that of AWS by ${duration(drift)}. Set it, because AWS rejects requests with other times.`,
      );
    }),
  ]);
  if (options.json) terminal.print(JSON.stringify(findings, null, 2));
  return options.json ? exitCodeOf(findings) : printFindings(findings, terminal);
}

/** AWS rejects signatures that are five minutes old. The time of the report passes through the network. */
const mostDrift = 60_000;

async function scheduled({ deployment }: Report, { checks }: DoctorPorts): Promise<string> {
  const schedule = await checks.scheduleOf(deployment.stateMachines.fleet);
  if (schedule?.enabled) return `starts the fleet every ${duration(deployment.checkInterval * 1000)}`;
  if (!schedule) throw new ToFix('No schedule starts the fleet, so nothing is renewed. Deploy the stack again.');
  throw new ToFix(
    `The schedule ${schedule.name} is disabled, so nothing is renewed. Enable it in the console of EventBridge Scheduler, or deploy the stack again.`,
  );
}

async function subscriptions({ deployment }: Report, { checks }: DoctorPorts): Promise<string> {
  if (deployment.topic === null)
    throw new ToFix('No operator is notified. Add notifications: { email: [...] } to the configuration.');
  const { confirmed, pending } = await checks.subscriptions(deployment.topic);
  if (pending.length > 0)
    throw new ToFix(
      `Not confirmed: ${pending.join(', ')}. Open the link in the mail from SNS, or subscribe again if it is older than two days.`,
    );
  if (confirmed === 0) throw new ToFix(`The topic ${deployment.topic} has no subscription. Subscribe to it.`);
  return counted(confirmed, 'confirmed subscription');
}

/** Functions that a fleet may run at once with the pace of the configuration. A new AWS account may run ten. */
const leastConcurrency = 20;

async function quotas({ certificates }: Report, { checks }: DoctorPorts): Promise<readonly Finding[]> {
  const uses = new Map<string, AcmUse>();
  for (const { current, deliveries } of certificates) {
    const lifetime = current ? (Date.parse(current.notAfter) - Date.parse(current.notBefore)) / hour : unknownLifetime;
    for (const { region } of deliveries) {
      const { yearlyImports = 0 } = uses.get(region) ?? {};
      uses.set(region, { added: 0, yearlyImports: yearlyImports + renewalsOfYear(lifetime) });
    }
  }
  return [
    await findingOf('concurrency', async () => {
      const limit = await checks.concurrency();
      if (limit >= leastConcurrency) return `Lambda may run ${limit.toLocaleString('en-US')} functions at once`;
      throw new ToFix(
        `Lambda may run only ${limit} functions at once in this account. Ask AWS for a quota of 1,000 (Service Quotas, AWS Lambda, Concurrent executions).`,
      );
    }),
    ...(await acmFindings(new Map([...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))), checks)),
  ];
}

const hour = 3_600_000;
