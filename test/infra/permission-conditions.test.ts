import { describe, expect, test } from 'vitest';
import type { CertificateRenewal } from '../../infra/index.ts';
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

  test('lets the check function read the failed validations of all names of a certificate, and no whole table', async () => {
    for (const action of ['BatchGetItem', 'GetItem', 'UpdateItem'])
      expect(
        await ledger('CheckRole', action, { 'dynamodb:LeadingKeys': ['orders#https://ca.test/directory'] }),
        action,
      ).toBe(true);
    expect(await ledger('CheckRole', 'Scan')).toBe(false);
  });

  test('lets the fleet function read all items, and update those of certificates and of the fleet', async () => {
    const update = (...items: string[]) => ledger('FleetRole', 'UpdateItem', { 'dynamodb:LeadingKeys': items });
    expect(await update('certificate#www')).toBe(true);
    expect(await update('fleet')).toBe(true);
    for (const item of ['set#0123', 'account#https://ca.test/directory', 'fleet2'])
      expect(await update(item), item).toBe(false);
    expect(await ledger('FleetRole', 'UpdateItem')).toBe(false);
    for (const action of ['Scan', 'BatchGetItem']) expect(await ledger('FleetRole', action), action).toBe(true);
    for (const action of ['PutItem', 'DeleteItem']) expect(await ledger('FleetRole', action), action).toBe(false);
  });

  test('lets the check function read and update single items, and read the identifiers of one certificate in a batch', async () => {
    for (const action of ['GetItem', 'BatchGetItem', 'UpdateItem'])
      expect(await ledger('CheckRole', action), action).toBe(true);
    for (const action of ['Scan', 'PutItem', 'DeleteItem'])
      expect(await ledger('CheckRole', action), action).toBe(false);
  });

  test('lets the delivery function update only items of certificates, and read all', async () => {
    const update = (...items: string[]) => ledger('DeliveryRole', 'UpdateItem', { 'dynamodb:LeadingKeys': items });
    expect(await update('certificate#www')).toBe(true);
    for (const item of [
      'set#0123',
      'account#https://ca.test/directory',
      'orders#https://ca.test/directory',
      'failures#https://ca.test/directory#example.com',
    ])
      expect(await update(item), item).toBe(false);
    expect(await update('certificate#www', 'set#0123')).toBe(false);
    expect(await ledger('DeliveryRole', 'GetItem', { 'dynamodb:LeadingKeys': ['set#0123'] })).toBe(true);
  });

  test('refuses an update of the delivery function without the condition key', async () => {
    expect(await ledger('DeliveryRole', 'UpdateItem')).toBe(false);
  });
});

describe('trust policies', () => {
  const account = '123456789012';
  const requested = synthesize(smallConfig, (stack) => {
    (stack.node.findChild('Certificates') as CertificateRenewal).certificate('www', 'us-east-1');
  });
  const [[group]] = ofType(requested.resources, 'AWS::Scheduler::ScheduleGroup') as [[string, unknown]];
  const groupArn = `arn:aws:scheduler:eu-central-1:${account}:schedule-group/${group}`;
  const sources: Readonly<Record<string, string>> = {
    'states.amazonaws.com': `arn:aws:states:eu-central-1:${account}:stateMachine:any`,
    'events.amazonaws.com': `arn:aws:events:eu-central-1:${account}:rule/any`,
    'scheduler.amazonaws.com': groupArn,
  };
  const trusted = ofType(requested.resources, 'AWS::IAM::Role').map(([id, { Properties }]) => {
    const service = /"Service":"([a-z.]+)"/.exec(JSON.stringify(Properties.AssumeRolePolicyDocument))?.[1] ?? '';
    // Lambda sends no ARN of a function, and the CDK's Provider framework has a state machine of its own.
    const source = id.includes('Providerwaiter') ? undefined : sources[service];
    return [id.replace(/^Certificates/, ''), service, source] as const;
  });

  test.each(trusted)('of %s let %s in only for this account', async (role, service, source) => {
    const keys: Context = {
      'aws:SourceAccount': [account],
      ...(source !== undefined && { 'aws:SourceArn': [source] }),
    };
    const letsIn = (given: Context, by = service) => trusts(role, by, given, requested);
    expect(await letsIn(keys)).toBe(true);
    expect(await letsIn({ ...keys, 'aws:SourceAccount': ['222222222222'] })).toBe(false);
    for (const key of Object.keys(keys)) expect(await letsIn(without(keys, key)), key).toBe(false);
    expect(await letsIn(keys, 'ec2.amazonaws.com')).toBe(false);
  });

  test('name Lambda, Step Functions, EventBridge and EventBridge Scheduler', () => {
    const services = new Set(trusted.map(([, service]) => service));
    expect([...services].toSorted()).toEqual(['lambda.amazonaws.com', ...Object.keys(sources)].toSorted());
  });

  test('of the restart rule let in rules of this region and account only', async () => {
    for (const arn of [
      'arn:aws:events:eu-west-1:123456789012:rule/any',
      'arn:aws:events:eu-central-1:222222222222:rule/any',
      'arn:aws:events:eu-central-1:123456789012:event-bus/default',
    ]) {
      const keys = { 'aws:SourceAccount': [account], 'aws:SourceArn': [arn] };
      expect(await trusts('RestartRule', 'events.amazonaws.com', keys), arn).toBe(false);
    }
  });

  test('of the schedule let in schedules of the group of this stack only', async () => {
    const keys = { 'aws:SourceAccount': [account], 'aws:SourceArn': [groupArn] };
    const letsIn = (given: Context) => trusts('FleetWorkflowScheduleRole', 'scheduler.amazonaws.com', given);
    expect(await letsIn(keys)).toBe(true);
    expect(await letsIn({ ...keys, 'aws:SourceArn': [`${groupArn}2`] })).toBe(false);
    expect(await letsIn({ ...keys, 'aws:SourceAccount': ['222222222222'] })).toBe(false);
    for (const key of Object.keys(keys)) expect(await letsIn(without(keys, key)), key).toBe(false);
  });
});
