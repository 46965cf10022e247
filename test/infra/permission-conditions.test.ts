import { describe, expect, test } from 'vitest';
import type { CertificateRenewal } from '../../infra/index.ts';
import {
  accountId,
  certificateId,
  fleetId,
  identifierFailuresId,
  notifiedPrefix,
  ordersId,
  setId,
} from '../../lambdas/adapters/aws/dynamodb/ledger-item.ts';
import { detailTypes } from '../../lambdas/domain/contract/events.ts';
import { allows, type Context, trusts, without } from './policy-simulator.ts';
import { ofType, smallConfig, synthesize } from './synthesized.ts';

describe('events', () => {
  const bus = 'arn:aws:events:eu-central-1:123456789012:event-bus/default';
  const publishes = (role: string, keys: Context) => allows(role, 'events:PutEvents', bus, keys);
  const { expiring, renewalPostponed, changedOutside, accountRequestFailed, ...ofRenewal } = detailTypes;
  const ofWorkflow = [
    ...Object.values(ofRenewal).map((type) => ['RenewalWorkflow', type] as const),
    ...[expiring, renewalPostponed, changedOutside].map((type) => ['FleetWorkflowStateMachine', type] as const),
    ['AccountWorkflow', accountRequestFailed] as const,
  ];

  test.each(ofWorkflow)('of %s may be %s from the source perennial only', async (role, type) => {
    const keys = { 'events:source': ['perennial'], 'events:detail-type': [type] };
    expect(await publishes(role, keys)).toBe(true);
    expect(await publishes(role, { ...keys, 'events:source': ['another.app'] })).toBe(false);
    expect(await publishes(role, { ...keys, 'events:detail-type': ['Deployment Failed'] })).toBe(false);
    for (const key of Object.keys(keys)) expect(await publishes(role, without(keys, key)), key).toBe(false);
  });
});

describe('the ledger', () => {
  const [[id]] = ofType(synthesize().resources, 'AWS::DynamoDB::Table') as [[string, unknown]];
  const table = `arn:aws:dynamodb:eu-central-1:123456789012:table/${id}`;
  const ledger = (role: string, action: string, keys: Context = {}) => allows(role, `dynamodb:${action}`, table, keys);
  const directory = 'https://ca.test/directory';
  const items = {
    certificate: certificateId('www'),
    set: setId('0123'),
    account: accountId(directory),
    orders: ordersId(directory),
    failures: identifierFailuresId(directory, '*.example.com'),
    fleet: fleetId,
    notified: `${notifiedPrefix}renewal#www`,
  };
  type Item = keyof typeof items;
  const roles: readonly (readonly [role: string, updates: readonly Item[], reads: readonly string[]])[] = [
    ['CheckRole', ['certificate', 'set', 'account', 'orders', 'failures'], ['GetItem', 'BatchGetItem']],
    ['OrderRole', ['certificate', 'set', 'account'], ['GetItem']],
    ['CertificateRole', ['certificate', 'set'], ['GetItem']],
    ['DeliveryRole', ['certificate'], ['GetItem']],
    ['FleetRole', ['certificate', 'fleet'], ['GetItem', 'BatchGetItem', 'Scan']],
    ['ReportRole', [], ['GetItem', 'BatchGetItem']],
    ['ExecutionsStopRole', [], ['Scan']],
    ['ChallengeRole', [], []],
    ['FleetStartDeploymentRole', [], []],
  ];

  test.each(roles)('lets %s update items of %j and no others', async (role, updates) => {
    const update = (...keys: string[]) => ledger(role, 'UpdateItem', { 'dynamodb:LeadingKeys': keys });
    for (const [item, key] of Object.entries(items))
      expect(await update(key), item).toBe(updates.includes(item as Item));
    expect(await update(items.certificate, 'fleet2')).toBe(false);
    // A request without the condition key.
    expect(await ledger(role, 'UpdateItem')).toBe(false);
  });

  test.each(roles)('lets %s read as it needs to, and create or delete nothing', async (role, _, reads) => {
    for (const action of ['GetItem', 'BatchGetItem', 'Scan', 'Query', 'PutItem', 'DeleteItem', 'DeleteTable'])
      expect(await ledger(role, action, { 'dynamodb:LeadingKeys': [items.orders] }), action).toBe(
        reads.includes(action),
      );
  });
});

describe('trust policies', () => {
  const account = '123456789012';
  const requested = synthesize(smallConfig, (stack) => {
    (stack.node.findChild('Certificates') as CertificateRenewal).certificate('www', 'us-east-1');
  });
  const [[group]] = ofType(requested.resources, 'AWS::Scheduler::ScheduleGroup') as [[string, unknown]];
  const groupArn = `arn:aws:scheduler:eu-central-1:${account}:schedule-group/${group}`;
  const nameOf = (type: string, name: string, id: RegExp) => {
    const found = ofType(requested.resources, type).filter(([each]) => id.test(each));
    return found.length === 1 ? String(found[0]?.[1].Properties[name]) : `${found.length} of ${id}`;
  };
  const stateMachine = (id: RegExp) =>
    `arn:aws:states:eu-central-1:${account}:stateMachine:${nameOf('AWS::StepFunctions::StateMachine', 'StateMachineName', id)}`;
  /** The only resource for which a service may assume a role, by the beginning of the role. Lambda sends no ARN of a function. */
  const sources: readonly (readonly [role: RegExp, arn: string])[] = [
    ...['FleetWorkflow', 'RenewalWorkflow', 'AccountWorkflow', 'CertificateRequestsProviderwaiter'].map(
      (id) => [new RegExp(`^${id}state`, 'i'), stateMachine(new RegExp(`^Certificates${id}state`, 'i'))] as const,
    ),
    [
      /^RestartRule/,
      `arn:aws:events:eu-central-1:${account}:rule/${nameOf('AWS::Events::Rule', 'Name', /RestartRule/)}`,
    ],
    [/^FleetWorkflowSchedule/, groupArn],
  ];
  const trusted = ofType(requested.resources, 'AWS::IAM::Role').map(([id, { Properties }]) => {
    const service = /"Service":"([a-z.]+)"/.exec(JSON.stringify(Properties.AssumeRolePolicyDocument))?.[1] ?? '';
    const role = id.replace(/^Certificates/, '');
    return [role, service, sources.find(([each]) => each.test(role))?.[1]] as const;
  });

  test.each(trusted)(
    'of %s let %s in only for this account and only for its own resource',
    async (role, service, source) => {
      const keys: Context = {
        'aws:SourceAccount': [account],
        ...(source !== undefined && { 'aws:SourceArn': [source] }),
      };
      const letsIn = (given: Context, by = service) => trusts(role, by, given, requested);
      expect(await letsIn(keys)).toBe(true);
      expect(await letsIn({ ...keys, 'aws:SourceAccount': ['222222222222'] })).toBe(false);
      for (const key of Object.keys(keys)) expect(await letsIn(without(keys, key)), key).toBe(false);
      expect(await letsIn(keys, 'ec2.amazonaws.com')).toBe(false);
      if (source === undefined) return expect(service).toBe('lambda.amazonaws.com');
      for (const other of [`${source}2`, source.replace(/[^:/]+$/, '*'), source.replace('eu-central-1', 'eu-west-1')])
        expect(await letsIn({ ...keys, 'aws:SourceArn': [other] }), other).toBe(false);
    },
  );

  test('name Lambda, Step Functions, EventBridge and EventBridge Scheduler', () => {
    const services = new Set(trusted.map(([, service]) => service.replace('.amazonaws.com', '')));
    expect([...services].toSorted()).toEqual(['events', 'lambda', 'scheduler', 'states']);
  });
});
