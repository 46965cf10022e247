import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createLedger } from '../../../lambdas/aws/ledger.ts';
import type { CertificateFacts } from '../../../lambdas/rules/contract.ts';
import { awsError } from './aws-error.ts';

const now = new Date('2027-01-01T06:00:00.000Z');
const me = 'arn:aws:states:us-east-1:123456789012:execution:renewal:me';
const other = 'arn:aws:states:us-east-1:123456789012:execution:renewal:other';
const run = { certificate: 'www', execution: me };
const TableName = 'ledger';

const current: CertificateFacts = {
  secretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:certificates/www-AbCdEf',
  versionId: 'v1',
  identifiers: ['example.com'],
  serialNumber: '04A1',
  certificateId: null,
  notBefore: '2027-01-01T00:00:00Z',
  notAfter: '2027-04-01T00:00:00Z',
  issuer: 'CN=Example CA',
  keyType: 'P-256',
  directoryUrl: 'https://ca.example/directory',
  profile: null,
  orderUrl: 'https://ca.example/order/1',
  execution: me,
};
const order = {
  url: 'https://ca.example/order/1',
  finalize: 'https://ca.example/order/1/finalize',
  expires: null,
  execution: me,
  specHash: 's',
  directoryUrl: 'https://ca.example/directory',
};
const delivery = {
  arn: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
  versionId: 'v1',
  keyType: 'P-256',
} as const;
const first = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'one' };
const second = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'two' };
const text = (value: object): string => JSON.stringify(value);

const sdk = mockClient(DynamoDBClient);
const ledger = createLedger({ table: TableName, client: new DynamoDBClient({ region: 'us-east-1' }) });

const conditionFailed = (Item?: Record<string, AttributeValue>) =>
  new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    $metadata: { httpStatusCode: 400 },
    ...(Item ? { Item } : {}),
  });
const held = (by: string) => conditionFailed({ lease: { S: by }, leasedAt: { S: '2027-01-01T05:00:00.000Z' } });

/** The n-th UpdateItem with its attribute names written out, as one reads it. */
function update(index = 0) {
  const input = sdk.commandCalls(UpdateItemCommand)[index]?.args[0].input;
  const plain = (expression: string | undefined) =>
    expression?.replaceAll(/#\w+/g, (name) => input?.ExpressionAttributeNames?.[name] ?? `missing ${name}`);
  return {
    id: input?.Key?.id?.S,
    update: plain(input?.UpdateExpression),
    condition: plain(input?.ConditionExpression),
    values: input?.ExpressionAttributeValues,
  };
}

beforeEach(() => {
  sdk.reset();
  sdk.on(UpdateItemCommand).resolves({});
});

describe('reading', () => {
  test('a certificate never seen is an empty one, and the read is consistent', async () => {
    sdk.on(GetItemCommand).resolves({});
    expect(await ledger.certificate('www')).toEqual({
      lease: null,
      leasedAt: null,
      current: null,
      deliveries: {},
      order: null,
      leftovers: [],
      failure: null,
      notBefore: null,
    });
    expect(sdk).toHaveReceivedCommandWith(GetItemCommand, {
      TableName,
      Key: { id: { S: 'certificate#www' } },
      ConsistentRead: true,
    });
  });

  test('an item comes back as what was written', async () => {
    sdk.on(GetItemCommand).resolves({
      Item: {
        id: { S: 'certificate#www' },
        lease: { S: me },
        leasedAt: { S: '2027-01-01T05:00:00.000Z' },
        deliveries: { M: { 'us-east-1': { M: { arn: { S: 'a' }, versionId: { S: 'v1' }, keyType: { S: 'P-256' } } } } },
        leftovers: { SS: [text(first)] },
        failure: { M: { last: { S: '2027-01-01T00:00:00Z' }, error: { S: 'CaaError' }, cause: { S: 'No.' } } },
        failures: { N: '3' },
        notBefore: { S: '2027-01-02T00:00:00Z' },
      },
    });
    expect(await ledger.certificate('www')).toMatchObject({
      lease: me,
      deliveries: { 'us-east-1': { arn: 'a', versionId: 'v1', keyType: 'P-256' } },
      leftovers: [first],
      failure: { count: 3, last: '2027-01-01T00:00:00Z', error: 'CaaError', cause: 'No.' },
      notBefore: '2027-01-02T00:00:00Z',
    });
  });

  test('many at once leaves out those never seen, and asks for the rest again', async () => {
    const keyOf = (name: string) => ({ id: { S: `certificate#${name}` } });
    sdk
      .on(BatchGetItemCommand)
      .resolvesOnce({
        Responses: { [TableName]: [keyOf('a')] },
        UnprocessedKeys: { [TableName]: { Keys: [keyOf('b')] } },
      })
      .resolvesOnce({ Responses: { [TableName]: [{ ...keyOf('b'), lease: { S: me } }] } });
    const found = await ledger.certificates(['a', 'b', 'c', 'a']);
    expect([...found.keys()]).toEqual(['a', 'b']);
    expect(found.get('b')?.lease).toBe(me);
    expect(sdk).toHaveReceivedNthCommandWith(BatchGetItemCommand, 1, {
      RequestItems: { [TableName]: { Keys: [keyOf('a'), keyOf('b'), keyOf('c')], ConsistentRead: true } },
    });
    expect(sdk).toHaveReceivedNthCommandWith(BatchGetItemCommand, 2, {
      RequestItems: { [TableName]: { Keys: [keyOf('b')], ConsistentRead: true } },
    });
  });

  test('none at once asks nobody', async () => {
    expect(await ledger.certificates([])).toEqual(new Map());
    expect(sdk).not.toHaveReceivedCommand(BatchGetItemCommand);
  });

  test('what stays unread four times is a throttle', async () => {
    sdk
      .on(BatchGetItemCommand)
      .resolves({ UnprocessedKeys: { [TableName]: { Keys: [{ id: { S: 'certificate#a' } }] } } });
    await expect(ledger.certificates(['a'])).rejects.toMatchObject({ name: 'ThrottledError' });
    expect(sdk).toHaveReceivedCommandTimes(BatchGetItemCommand, 4);
  });

  test('names item and table when it is denied', async () => {
    sdk.on(GetItemCommand).rejects(awsError('AccessDeniedException'));
    await expect(ledger.certificate('www')).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining('dynamodb:GetItem on item certificate#www of table ledger'),
    });
  });
});

describe('taking a lease', () => {
  test('of a certificate is one write, on the condition that it is free or ours', async () => {
    expect(await ledger.takeLease({ certificate: 'www' }, run, now)).toBeNull();
    expect(update()).toEqual({
      id: 'certificate#www',
      update: 'SET lease = :execution, leasedAt = :now, deliveries = if_not_exists(deliveries, :empty)',
      condition: 'attribute_not_exists(lease) OR lease = :execution',
      values: { ':execution': { S: me }, ':now': { S: '2027-01-01T06:00:00.000Z' }, ':empty': { M: {} } },
    });
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 1);
  });

  test('says who has it and since when', async () => {
    sdk.on(UpdateItemCommand).rejects(held(other));
    expect(await ledger.takeLease({ certificate: 'www' }, run, now)).toEqual({
      execution: other,
      since: '2027-01-01T05:00:00.000Z',
    });
    expect(sdk).toHaveReceivedCommandWith(UpdateItemCommand, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  });

  test('instead of a dead execution takes it from that one only', async () => {
    expect(await ledger.takeLease({ certificate: 'www' }, run, now, other)).toBeNull();
    expect(update()).toMatchObject({
      condition: 'attribute_not_exists(lease) OR lease = :execution OR lease = :instead',
      values: { ':instead': { S: other } },
    });
  });

  test("of a set is noted in the certificate's item first", async () => {
    expect(await ledger.takeLease({ set: 'hash' }, run, now)).toBeNull();
    expect(update(0)).toEqual({
      id: 'certificate#www',
      update: 'ADD sets :sets',
      condition: 'lease = :execution',
      values: { ':sets': { SS: ['hash'] }, ':execution': { S: me } },
    });
    expect(update(1)).toMatchObject({
      id: 'set#hash',
      update: 'SET lease = :execution, leasedAt = :now, certificate = :certificate',
      condition: 'attribute_not_exists(lease) OR lease = :execution',
      values: { ':certificate': { S: 'www' } },
    });
  });

  test("of a set needs the certificate's", async () => {
    sdk.on(UpdateItemCommand).rejects(held(other));
    await expect(ledger.takeLease({ set: 'hash' }, run, now)).rejects.toMatchObject({ name: 'LeaseLostError' });
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 1);
  });
});

describe('giving leases back', () => {
  test("frees the sets, then the certificate, each only while it is this execution's", async () => {
    sdk.on(GetItemCommand).resolves({ Item: { lease: { S: me }, sets: { SS: ['a', 'b'] } } });
    await ledger.release('www', me);
    const removes = {
      update: 'REMOVE lease, leasedAt',
      condition: 'lease = :execution',
      values: { ':execution': { S: me } },
    };
    expect([update(0), update(1), update(2)]).toEqual([
      { id: 'set#a', ...removes },
      { id: 'set#b', ...removes },
      { id: 'certificate#www', ...removes, update: 'REMOVE lease, leasedAt, sets' },
    ]);
  });

  test('frees a set of ours even when the certificate is held by another by now', async () => {
    sdk.on(GetItemCommand).resolves({ Item: { lease: { S: other }, sets: { SS: ['a'] } } });
    sdk.on(UpdateItemCommand, { Key: { id: { S: 'certificate#www' } } }).rejects(held(other));
    await ledger.release('www', me);
    expect(update(0)).toMatchObject({ id: 'set#a', update: 'REMOVE lease, leasedAt' });
  });

  test('of a certificate that has none is no error', async () => {
    sdk.on(GetItemCommand).resolves({});
    sdk.on(UpdateItemCommand).rejects(conditionFailed());
    await ledger.release('www', me);
    await ledger.release('www', me);
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 2);
  });
});

describe('holding the lease', () => {
  test('is asserted by a consistent read', async () => {
    sdk.on(GetItemCommand).resolves({ Item: { lease: { S: me } } });
    await ledger.assertLease('www', me);
    expect(sdk).toHaveReceivedCommandWith(GetItemCommand, { ConsistentRead: true });
  });

  test.each([
    ['another', { lease: { S: other } }, `execution ${other} does`],
    ['nobody', {}, 'nobody does'],
  ])('is lost when %s has it, and the error says so', async (_, Item, holder) => {
    sdk.on(GetItemCommand).resolves({ Item });
    await expect(ledger.assertLease('www', me)).rejects.toMatchObject({
      name: 'LeaseLostError',
      message: expect.stringContaining(`Execution ${me} does not hold the lease of certificate www, ${holder}`),
    });
  });

  test.each([
    ['saveOrder', () => ledger.saveOrder('www', order, [first])],
    ['recordCurrent', () => ledger.recordCurrent('www', me, current)],
    ['recordDelivery', () => ledger.recordDelivery('www', me, 'us-east-1', delivery)],
    ['recordSuccess', () => ledger.recordSuccess('www', me)],
    ['recordFailure', () => ledger.recordFailure('www', me, { last: 't', error: 'E', cause: 'c' }, null)],
  ])('is the condition of %s', async (_, write) => {
    sdk.on(UpdateItemCommand).rejects(held(other));
    await expect(write()).rejects.toMatchObject({ name: 'LeaseLostError', message: expect.stringContaining(other) });
    expect(update()).toMatchObject({
      id: 'certificate#www',
      condition: expect.stringContaining('lease = :execution'),
      values: { ':execution': { S: me } },
    });
  });
});

describe('writing', () => {
  test('an order adds its values to those there, in one write', async () => {
    await ledger.saveOrder('www', order, [first, second, first]);
    expect(update()).toMatchObject({
      update: 'SET order = :order ADD leftovers :leftovers',
      values: {
        ':order': { M: { url: { S: order.url }, expires: { NULL: true } } },
        ':leftovers': { SS: [text(first), text(second)] },
      },
    });
  });

  test('an order without values adds none, since a set cannot be empty', async () => {
    await ledger.saveOrder('www', order, []);
    expect(update()).toMatchObject({ update: 'SET order = :order' });
  });

  test('values are struck off without a lease, whatever the order of their members', async () => {
    await ledger.strikeLeftovers('www', [{ value: 'one', name: first.name, hostedZoneId: 'Z1' }]);
    expect(update()).toEqual({
      id: 'certificate#www',
      update: 'DELETE leftovers :leftovers',
      condition: 'attribute_exists(leftovers)',
      values: { ':leftovers': { SS: [text(first)] } },
    });
  });

  test('values of an item that has none are gone already', async () => {
    sdk.on(UpdateItemCommand).rejects(conditionFailed());
    await ledger.strikeLeftovers('www', [first]);
    await ledger.strikeLeftovers('www', []);
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 1);
  });

  test('facts and deliveries are maps that one can read', async () => {
    await ledger.recordCurrent('www', me, current);
    expect(update(0)).toMatchObject({
      update: 'SET current = :current',
      values: { ':current': { M: { identifiers: { L: [{ S: 'example.com' }] }, certificateId: { NULL: true } } } },
    });
    await ledger.recordDelivery('www', me, 'us-east-1', delivery);
    expect(update(1)).toMatchObject({
      update: 'SET deliveries.us-east-1 = :delivery',
      values: { ':delivery': { M: { arn: { S: delivery.arn }, versionId: { S: 'v1' }, keyType: { S: 'P-256' } } } },
    });
  });

  test('success drops order, failure, its count and notBefore', async () => {
    await ledger.recordSuccess('www', me);
    expect(update()).toMatchObject({ update: 'REMOVE order, failure, failures, notBefore' });
  });

  test('a failure raises the count and drops the order, in one write', async () => {
    const failure = { last: '2027-01-01T00:00:00Z', error: 'CaaError', cause: 'No.' };
    await ledger.recordFailure('www', me, failure, '2027-01-01T01:00:00Z');
    expect(update(0)).toMatchObject({
      update:
        'SET failure = :failure, failures = if_not_exists(failures, :zero) + :one, notBefore = :notBefore REMOVE order',
      values: { ':notBefore': { S: '2027-01-01T01:00:00Z' }, ':one': { N: '1' } },
    });
    await ledger.recordFailure('www', me, failure, null);
    expect(update(1)).toMatchObject({ update: expect.stringMatching(/ REMOVE order, notBefore$/) });
  });

  test('a failure that is there already counts once', async () => {
    const failure = { last: '2027-01-01T00:00:00Z', error: 'CaaError', cause: 'No.' };
    sdk.on(UpdateItemCommand).resolvesOnce({}).rejects(held(me));
    await ledger.recordFailure('www', me, failure, null);
    await ledger.recordFailure('www', me, failure, null);
    expect(update(1)).toMatchObject({
      condition: 'lease = :execution AND (attribute_not_exists(failure) OR failure.last <> :last)',
      values: { ':last': { S: failure.last } },
    });
  });
});

test('every name that a write declares is used in it, as DynamoDB demands', async () => {
  sdk.on(GetItemCommand).resolves({ Item: { sets: { SS: ['a'] } } });
  await ledger.takeLease({ certificate: 'www' }, run, now, other);
  await ledger.takeLease({ set: 'hash' }, run, now);
  await ledger.saveOrder('www', order, []);
  await ledger.saveOrder('www', order, [first]);
  await ledger.strikeLeftovers('www', [first]);
  await ledger.recordCurrent('www', me, current);
  await ledger.recordDelivery('www', me, 'us-east-1', delivery);
  await ledger.recordFailure('www', me, { last: 't', error: 'E', cause: 'c' }, null);
  await ledger.recordFailure('www', me, { last: 't', error: 'E', cause: 'c' }, 't');
  await ledger.recordSuccess('www', me);
  await ledger.release('www', me);
  const used = (text: string | undefined) => [...new Set(text?.match(/[#:]\w+/g))].sort();
  for (const { args } of sdk.commandCalls(UpdateItemCommand)) {
    const { UpdateExpression, ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } =
      args[0].input;
    const declared = Object.keys({ ...ExpressionAttributeNames, ...ExpressionAttributeValues }).sort();
    expect(used(`${UpdateExpression} ${ConditionExpression}`)).toEqual(declared);
  }
});
