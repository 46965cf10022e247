import { describe, expect, test } from 'vitest';
import { permissionFindings, type UsedResources } from '../../cli/permissions.ts';
import type { DeniedCall, SimulatedCalls } from '../../lambdas/domain/ports/role-permissions.ts';
import { reportOf } from './page/reports.ts';

const { deployment } = reportOf(0);
const used: UsedResources = {
  hostedZones: [
    { id: 'Z1', name: 'example.com' },
    { id: 'Z2', name: 'example.org', role: { arn: 'arn:aws:iam::444455556666:role/dns' } },
  ],
  names: ['www'],
  regions: ['us-east-1'],
};

/** Returns the findings, and the simulated calls of each role. `denies` are denied by what it returns. */
async function checked(
  denies: (action: string, resource: string) => DeniedCall['by'] | null = () => null,
  deployed: UsedResources = used,
) {
  const simulated: (SimulatedCalls & { readonly role: string })[] = [];
  const findings = await permissionFindings(deployment, used, deployed, {
    denied: async (role, calls) => {
      simulated.push({ role: role.split('/').at(-1) ?? '', ...calls });
      return calls.actions.flatMap((action) =>
        calls.resources.flatMap((resource) => {
          const by = denies(action, resource);
          return by ? [{ action, resource, by }] : [];
        }),
      );
    },
  });
  return { findings, simulated };
}

describe('the permissions of the functions', () => {
  test('are evaluated for the calls of a renewal, with the values of their conditions', async () => {
    const { findings, simulated } = await checked();
    expect(findings.map(({ check, result, text }) => [check, result, text])).toEqual([
      ['permissions of challenge', 'ok', 'its role allows the 4 actions that it needs'],
      ['permissions of certificate', 'ok', 'its role allows the 6 actions that it needs'],
      ['permissions of delivery', 'ok', 'its role allows the 2 actions that it needs'],
    ]);
    const change = 'route53:ChangeResourceRecordSets';
    expect(simulated).toEqual(
      expect.arrayContaining([
        {
          ...{ role: 'challenge', actions: [change], resources: ['arn:aws:route53:::hostedzone/Z1'] },
          context: {
            [`${change}NormalizedRecordNames`]: ['_acme-challenge.example.com'],
            [`${change}RecordTypes`]: ['TXT'],
            [`${change}Actions`]: ['CREATE', 'DELETE'],
          },
        },
        {
          ...{ role: 'challenge', actions: ['sts:AssumeRole'], context: {} },
          resources: ['arn:aws:iam::444455556666:role/dns'],
        },
        {
          ...{ role: 'certificate', actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'] },
          resources: ['arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/www-AbCdEf'],
          context: { 'aws:RequestTag/perennial:stack': 'Certificates', 'aws:TagKeys': ['perennial:stack'] },
        },
      ]),
    );
  });

  test.each([
    ['policy', 'because no policy of the role allows it. Deploy the stack again'],
    ['deny', 'because a policy denies it. Ask those who maintain this policy'],
    ['boundary', 'because the permissions boundary of the role does not allow it. Ask those'],
    ['organization', 'because a policy of the organization does not allow it. Ask those'],
  ] as const)('that are denied by %s are named with the role and what to do', async (by, reason) => {
    const { findings } = await checked((action) => (action === 'route53:GetHostedZone' ? by : null));
    expect(findings[0]).toMatchObject({ check: 'permissions of challenge', result: 'fix' });
    expect(findings[0]?.text).toContain(
      `The role ${deployment.roles.challenge} may not call route53:GetHostedZone on arn:aws:route53:::hostedzone/Z1, ${reason}`,
    );
    expect(findings.slice(1).map(({ result }) => result)).toEqual(['ok', 'ok']);
  });

  test('for a zone that the next deployment adds may be missing, but not be denied', async () => {
    const before = { ...used, hostedZones: [] };
    expect((await checked((action) => (action === 'sts:AssumeRole' ? 'policy' : null), before)).findings[0]).toEqual({
      ...{ check: 'permissions of challenge', result: 'ok' },
      text: 'its role allows the 4 actions that it needs, when this deployment has granted sts:AssumeRole',
    });
    expect((await checked(() => 'organization', before)).findings[0]).toMatchObject({
      result: 'fix',
      text: expect.stringContaining('1 other call is denied too.'),
    });
  });
});
