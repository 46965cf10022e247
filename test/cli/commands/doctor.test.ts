import { describe, expect, test } from 'vitest';
import { type DoctorPorts, doctor } from '../../../cli/commands/doctor.ts';
import type { Finding } from '../../../cli/finding.ts';
import type { ZoneRole } from '../../../lambdas/domain/contract/config.ts';
import { AccessDeniedError } from '../../../lambdas/domain/contract/errors.ts';
import type { ReportOutput } from '../../../lambdas/domain/contract/report.ts';
import type { OperatorChecks } from '../../../lambdas/domain/ports/operator-checks.ts';
import type { RolePermissions } from '../../../lambdas/domain/ports/role-permissions.ts';
import type { WorkflowExecution } from '../../../lambdas/domain/ports/workflows.ts';
import { issuer } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

const zone = { id: 'Z1', name: 'example.com' };
const now = '2026-03-01T12:00:00Z';
const registered = {
  accounts: [{ issuer: 'test-ca', url: 'https://ca/1', caaIdentities: ['ca.test'], caa: [] }],
  caa: [],
};
const execution = (fields: Partial<WorkflowExecution> = {}): WorkflowExecution => ({
  ...{ arn: 'arn:aws:states:eu-west-1:1:execution:x:1', status: 'SUCCEEDED', start: now, end: '2026-03-01T11:00:00Z' },
  ...{ error: null, cause: null, input: '{"action":"register"}', output: JSON.stringify(registered), ...fields },
});

const operator = 'arn:aws:sts::111122223333:assumed-role/Operator/ann';

interface Situation {
  readonly permissions?: Partial<RolePermissions>;
  readonly zoneRole?: ZoneRole;
  /** Whether the operator may not assume the role of the zone. */
  readonly refused?: boolean;
  /** A query that no server answers. */
  readonly failing?: string;
  /** Names of the certificates. */
  readonly names?: readonly string[];
  readonly checks?: Partial<OperatorChecks>;
  readonly fleet?: readonly WorkflowExecution[];
  readonly lastSelection?: string | null;
  readonly registration?: WorkflowExecution;
  /** Executions of the accounts workflow after the registration, newest first. */
  readonly requests?: readonly WorkflowExecution[];
  readonly topic?: string | null;
  readonly at?: string;
  readonly delegated?: boolean;
}

async function run({
  checks,
  permissions,
  zoneRole,
  refused = false,
  names = ['www'],
  failing,
  fleet = [execution()],
  lastSelection = '2026-03-01T11:00:00Z',
  registration = execution(),
  requests = [],
  topic = 'arn:topic',
  at = now,
  delegated = true,
}: Situation = {}) {
  const world = createWorld();
  const { hostedZonesAs, dns } = world.ports;
  world.hostedZones.addZone(zone.id, ['ns.zone.test'], zoneRole?.arn);
  if (failing !== undefined) world.dns.fail(failing);
  if (refused && zoneRole) world.hostedZones.refusedRoles.add(zoneRole.arn);
  world.dns.delegate(zone.name, ...[delegated ? 'ns.zone.test' : 'ns.elsewhere.test']);
  const report = reportOf(0);
  const output: ReportOutput = {
    ...{
      ...report,
      ...{ at, lastSelection },
      next: null,
      certificates: names.map((name) => certificateWith({ name, identifiers: ['example.com'], issuer: 'test-ca' })),
    },
    deployment: {
      ...report.deployment,
      topic,
      issuers: [issuer],
      hostedZones: [{ ...zone, ...(zoneRole && { role: zoneRole }) }],
    },
  };
  const executions = new Map<string, WorkflowExecution>([
    ...fleet.map((each, index) => [`fleet-${index}`, each] as const),
    ['registration', registration],
    ...requests.map((each, index) => [`request-${index}`, each] as const),
  ]);
  const terminal = createTerminal();
  const ports: DoctorPorts = {
    terminal,
    clock: world.clock,
    zones: () => ({ hostedZonesAs, dns }),
    permissions: { denied: async () => [], caller: async () => operator, ...permissions },
    deployments: { list: async () => [{ stack: 'Certificates', report: 'arn' }], report: async () => output },
    workflows: {
      list: async (arn) =>
        arn === 'arn:fleet'
          ? fleet.map((_, index) => `fleet-${index}`)
          : [...requests.map((_, index) => `request-${index}`), 'registration'],
      describe: async (arn) => executions.get(arn) as WorkflowExecution,
    },
    checks: {
      scheduleOf: async () => ({ name: 'group/fleet', enabled: true }),
      subscriptions: async () => ({ confirmed: 1, pending: [] }),
      concurrency: async () => 1000,
      importedCertificates: async () => 7,
      acmQuota: async () => 100,
      ...checks,
    },
  };
  const code = await doctor({ json: true }, ports);
  const findings = JSON.parse(terminal.lines.join('')) as readonly Finding[];
  const text = createTerminal();
  await doctor({}, { ...ports, terminal: text });
  return { code, findings, of: (check: string) => findings.find((each) => each.check === check), text: text.lines };
}

describe('doctor', () => {
  test('has one line for each check, in 80 columns', async () => {
    const { code, findings, text } = await run();
    expect(findings.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(code).toBe(0);
    expect(findings.map(({ check }) => check)).toEqual([
      ...['credentials', 'stack', 'schedule', 'fleet', 'notifications', 'accounts', 'zones of www'],
      ...['permissions of challenge', 'permissions of certificate', 'permissions of delivery'],
      ...['concurrency', 'ACM in us-east-1', 'clock'],
    ]);
    expect(text[2]).toBe('OK  schedule: starts the fleet every 6 h');
    expect(
      Math.max(
        ...text
          .join('\n')
          .split('\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(80);
  });

  test('is OK while the first fleet run is in progress', async () => {
    const { of } = await run({ lastSelection: null, fleet: [execution({ status: 'RUNNING', end: null })] });
    expect(of('fleet')).toMatchObject({ result: 'ok', text: 'runs since 2026-03-01 12:00 UTC' });
  });

  test.each<[string, Situation, string]>([
    [
      'schedule',
      { checks: { scheduleOf: async () => ({ name: 'group/fleet', enabled: false }) } },
      'is disabled, so nothing is renewed',
    ],
    ['schedule', { checks: { scheduleOf: async () => null } }, 'No schedule starts the fleet, so nothing is renewed.'],
    ['fleet', { fleet: [] }, 'has never run'],
    [
      'fleet',
      { lastSelection: '2026-02-27T12:00:00Z' },
      'No fleet run has checked the certificates for 2 d. See that the schedule is enabled',
    ],
    ['fleet', { lastSelection: null }, 'No fleet run has checked the certificates at all.'],
    [
      'fleet',
      {
        lastSelection: '2026-02-27T12:00:00Z',
        fleet: [execution(), execution({ status: 'RUNNING', start: '2026-02-27T11:00:00Z', end: null })],
      },
      'The run that began at 2026-02-27 11:00 UTC has not ended. See where it waits, and stop it: https://',
    ],
    [
      'fleet',
      { fleet: [execution({ status: 'FAILED', error: 'FleetCheckError', cause: 'Denied.' })] },
      'FleetCheckError: Denied.',
    ],
    ['fleet', { fleet: [execution({ status: 'TIMED_OUT' })] }, 'The last fleet run timed out.'],
    ['notifications', { topic: null }, 'No operator is notified.'],
    [
      'notifications',
      { checks: { subscriptions: async () => ({ confirmed: 1, pending: ['ops@example.com'] }) } },
      'Not confirmed: ops@example.com.',
    ],
    [
      'notifications',
      { checks: { subscriptions: async () => ({ confirmed: 0, pending: [] }) } },
      'has no subscription',
    ],
    [
      'accounts',
      { registration: execution({ status: 'FAILED', error: 'ContactRefusedError', cause: 'No MX.' }) },
      'ContactRefusedError: No MX.',
    ],
    ['zones of www', { delegated: false }, 'ns.elsewhere.test'],
    [
      'permissions of challenge',
      {
        permissions: { denied: async (role, { actions: [action = ''] }) => [{ action, resource: role, by: 'policy' }] },
      },
      'The role arn:aws:iam::111122223333:role/challenge may not call route53:ChangeResourceRecordSets on',
    ],
    ['concurrency', { checks: { concurrency: async () => 10 } }, 'only 10 functions at once'],
    [
      'ACM in us-east-1',
      { checks: { importedCertificates: async () => 95 } },
      '95 of 100 imported certificates, about 6 of 100 imports a year. Ask AWS for a higher quota (Service Quotas, AWS Certificate Manager, Imported certificates)',
    ],
    [
      'ACM in us-east-1',
      { checks: { acmQuota: async (quota) => (quota === 'yearlyImports' ? 5 : 100) } },
      'about 6 of 5 imports a year. Ask AWS for a higher quota (Service Quotas, AWS Certificate Manager, Imported certificates in last 365 days)',
    ],
    ['clock', { at: '2026-03-01T11:00:00Z' }, 'differs from that of AWS by 60 min'],
    ['clock', { at: '2026-03-01T12:01:00Z' }, 'differs from that of AWS by 60 s'],
  ])('says how to fix a problem with %s', async (check, situation, message) => {
    const { code, of } = await run(situation);
    expect(of(check)).toMatchObject({ result: 'fix', text: expect.stringContaining(message) });
    expect(code).toBe(1);
  });

  test('does not complain about a clock that differs by less than a minute', async () => {
    const { of } = await run({ at: '2026-03-01T11:59:01Z' });
    expect(of('clock')).toMatchObject({ result: 'ok', text: 'differs from that of AWS by 59 s' });
  });

  test('names an account that was deactivated after its registration', async () => {
    const input = '{"action":"deactivate","issuer":"test-ca"}';
    const { of } = await run({ requests: [execution({ input, end: '2026-03-01T11:50:00Z' })] });
    expect(of('accounts')).toMatchObject({
      result: 'ok',
      text: 'deactivated at test-ca, 10 min ago, and registered again by the first order after that',
    });
    const failed = await run({ requests: [execution({ input, status: 'FAILED' })] });
    expect(failed.of('accounts')?.text).toBe('valid at test-ca, 60 min ago');
  });

  test('does not call a zone OK if a server did not answer', async () => {
    const { code, of } = await run({ failing: 'caa example.com' });
    expect(of('zones of www')).toMatchObject({
      result: 'unknown',
      text: expect.stringContaining('The CAA records of example.com could not be looked up'),
    });
    expect(code).toBe(4);
  });

  const role = 'arn:aws:iam::444455556666:role/dns';

  test.each([
    ['a session', operator, '"aws:PrincipalArn":["arn:aws:iam::111122223333:role/Operator"'],
    ['a user', 'arn:aws:iam::111122223333:user/ann', '"Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"}'],
  ])('says which statements let %s assume the role of a zone, and is no failure', async (_, caller, principal) => {
    const { code, of } = await run({
      ...{ zoneRole: { arn: role }, refused: true, permissions: { caller: async () => caller } },
    });
    const { result, text = '' } = of(`role ${role}`) ?? {};
    const [sentences, trust, own] = text.split('\n');
    expect(result).toBe('unknown');
    expect(sentences).toContain('Your credentials may not assume this role, so example.com cannot be read from here.');
    expect(trust).toContain(principal);
    expect(own).toBe(JSON.stringify({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role }));
    expect(of('zones of www')?.result).toBe('unknown');
    expect(of('permissions of challenge')).toMatchObject({ text: 'its role allows the 1 action that it needs' });
    expect(code).toBe(4);
  });

  test('reads a zone with its role if the operator may assume it', async () => {
    const { code, of } = await run({ zoneRole: { arn: role } });
    expect(of(`role ${role}`)).toMatchObject({ result: 'ok', text: 'can be assumed, and may read example.com' });
    expect(code).toBe(0);
  });

  test('shares a line between certificates with the same finding, and JSON has one for each', async () => {
    const names = ['www', 'api', 'mail', 'shop', 'login'];
    const { findings, text } = await run({ names });
    expect(findings.filter(({ check }) => check.startsWith('zones of '))).toHaveLength(5);
    expect(text).toContain(
      'OK  zones of www, api, mail and 2 more: the zones are delegated, and CAA allows\n    the CA',
    );
    const broken = (await run({ names, delegated: false })).text.filter((line) => line.includes('zones of'));
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(/^FIX zones of www, api, mail and 2 more: A CA would not find/);
  });

  test('compares with the default quotas if those of the account are denied or not known', async () => {
    const denied = async () => {
      throw new AccessDeniedError({
        ...{ what: 'Denied.', why: 'No policy.' },
        ...{ action: 'servicequotas:GetServiceQuota', resource: 'quotas of ACM' },
      });
    };
    const { of } = await run({ checks: { acmQuota: denied } });
    expect(of('ACM in us-east-1')).toEqual({
      ...{ check: 'ACM in us-east-1', result: 'ok' },
      text: '7 of 2,500 imported certificates, about 6 of 5,000 imports a year (default quotas. Your credentials may not call servicequotas:GetServiceQuota)',
    });
    const unknown = await run({ checks: { acmQuota: async () => null } });
    expect(unknown.of('ACM in us-east-1')?.text).toMatch(/of 5,000 imports a year \(default quotas\)$/);
  });

  test('shows the rest if one call is denied, with the statement that allows it', async () => {
    const denied = async () => {
      throw new AccessDeniedError({ what: 'Denied.', action: 'scheduler:ListSchedules', resource: 'schedules' });
    };
    const { code, of, findings } = await run({ checks: { scheduleOf: denied } });
    expect(of('schedule')).toMatchObject({
      result: 'unknown',
      text: expect.stringContaining('"Action":"scheduler:ListSchedules"'),
    });
    expect(findings.filter(({ result }) => result === 'ok')).toHaveLength(12);
    expect(code).toBe(4);
  });
});
