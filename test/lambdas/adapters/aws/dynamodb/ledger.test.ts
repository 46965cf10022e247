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
import { createLedger } from '../../../../../lambdas/adapters/aws/dynamodb/ledger.ts';
import type { CertificateFacts } from '../../../../../lambdas/domain/contract/certificate-facts.ts';
import { awsError } from '../aws-error.ts';

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
const renewalInfo = {
  certificateId: 'aki.serial',
  start: '2027-02-28T00:00:00Z',
  end: '2027-03-01T00:00:00Z',
  explanationUrl: null,
  nextFetch: '2027-01-01T12:00:00Z',
};
const failure = { last: '2027-01-01T00:00:00Z', error: 'CaaError', cause: 'No.' };
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
      renewalInfo: null,
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
        issuerFailures: { N: '2' },
        notBefore: { S: '2027-01-02T00:00:00Z' },
        renewalInfo: {
          M: {
            certificateId: { S: 'aki.serial' },
            start: { S: '2027-02-28T00:00:00Z' },
            end: { S: '2027-03-01T00:00:00Z' },
            explanationUrl: { NULL: true },
            nextFetch: { S: '2027-01-01T12:00:00Z' },
          },
        },
      },
    });
    expect(await ledger.certificate('www')).toMatchObject({
      lease: me,
      deliveries: { 'us-east-1': { arn: 'a', versionId: 'v1', keyType: 'P-256' } },
      leftovers: [first],
      failure: { count: 3, issuerFailures: 2, last: '2027-01-01T00:00:00Z', error: 'CaaError', cause: 'No.' },
      notBefore: '2027-01-02T00:00:00Z',
      renewalInfo,
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
    ['dropOrder', () => ledger.dropOrder('www', me, order.url)],
    ['recordFailure', () => ledger.recordFailure('www', me, failure, { notBefore: null, issuersFault: true })],
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

  test('success drops order, failure, its counts and notBefore', async () => {
    await ledger.recordSuccess('www', me);
    expect(update()).toMatchObject({ update: 'REMOVE order, failure, failures, issuerFailures, notBefore' });
  });

  test('an order is dropped only while it is the one saved', async () => {
    sdk.on(UpdateItemCommand).resolvesOnce({}).rejects(held(me));
    await ledger.dropOrder('www', me, order.url);
    await ledger.dropOrder('www', me, order.url);
    expect(update()).toMatchObject({
      update: 'REMOVE order',
      condition: 'lease = :execution AND order.url = :url',
      values: { ':url': { S: order.url } },
    });
  });

  test('renewal info is kept for the certificate it is about, and for no later one', async () => {
    sdk.on(UpdateItemCommand).resolvesOnce({}).rejects(held(other));
    await ledger.saveRenewalInfo('www', renewalInfo);
    await ledger.saveRenewalInfo('www', renewalInfo);
    expect(update()).toMatchObject({
      id: 'certificate#www',
      update: 'SET renewalInfo = :renewalInfo',
      condition: 'current.certificateId = :certificateId',
      values: { ':certificateId': { S: 'aki.serial' }, ':renewalInfo': { M: { explanationUrl: { NULL: true } } } },
    });
  });

  test('a revocation is kept for the version it is about, beside whatever another execution writes', async () => {
    sdk.on(UpdateItemCommand).resolves({});
    await ledger.recordRevocation('www', 'version-1');
    expect(update()).toMatchObject({
      id: 'certificate#www',
      update: 'SET revokedVersion = :versionId',
      condition: 'attribute_exists(id)',
      values: { ':versionId': { S: 'version-1' } },
    });
    sdk.on(GetItemCommand).resolves({ Item: { id: { S: 'certificate#www' }, revokedVersion: { S: 'version-1' } } });
    expect((await ledger.certificate('www')).revokedVersion).toBe('version-1');
  });

  test('a failure raises its counts in one write, and the order stays', async () => {
    const notBefore = '2027-01-01T01:00:00Z';
    await ledger.recordFailure('www', me, failure, { notBefore, issuersFault: true });
    expect(update(0)).toMatchObject({
      update:
        'SET failure = :failure, failures = if_not_exists(failures, :zero) + :one, ' +
        'issuerFailures = if_not_exists(issuerFailures, :zero) + :issuersFault, notBefore = :notBefore',
      values: { ':notBefore': { S: notBefore }, ':one': { N: '1' }, ':issuersFault': { N: '1' } },
    });
    await ledger.recordFailure('www', me, failure, { notBefore: null, issuersFault: false });
    expect(update(1)).toMatchObject({
      update: expect.stringMatching(/ REMOVE notBefore$/),
      values: { ':one': { N: '1' }, ':issuersFault': { N: '0' } },
    });
  });

  test('a failure that is there already counts once', async () => {
    sdk.on(UpdateItemCommand).resolvesOnce({}).rejects(held(me));
    await ledger.recordFailure('www', me, failure, { notBefore: null, issuersFault: false });
    await ledger.recordFailure('www', me, failure, { notBefore: null, issuersFault: false });
    expect(update(1)).toMatchObject({
      condition: 'lease = :execution AND (attribute_not_exists(failure) OR failure.last <> :last)',
      values: { ':last': { S: failure.last } },
    });
  });
});

describe('issues of an identifier set', () => {
  const url = 'https://ca.example/order/1';

  test('are those of the last 24 h, by order URL', async () => {
    sdk.on(GetItemCommand).resolves({
      Item: {
        id: { S: 'set#hash' },
        lease: { S: me },
        'issued https://ca.example/order/0': { S: '2026-12-31T06:00:00.000Z' },
        [`issued ${url}`]: { S: '2026-12-31T06:00:01.000Z' },
      },
    });
    expect(await ledger.issues('hash', now)).toEqual({ [url]: '2026-12-31T06:00:01.000Z' });
    expect(sdk).toHaveReceivedCommandWith(GetItemCommand, { Key: { id: { S: 'set#hash' } }, ConsistentRead: true });
  });

  test('of a set never seen are none', async () => {
    sdk.on(GetItemCommand).resolves({});
    expect(await ledger.issues('hash', now)).toEqual({});
  });

  test('count an order once, with the time it was counted first', async () => {
    await ledger.countIssue('hash', url, now);
    expect(update()).toEqual({
      id: 'set#hash',
      update: `SET issued ${url} = if_not_exists(issued ${url}, :now)`,
      condition: undefined,
      values: { ':now': { S: '2027-01-01T06:00:00.000Z' } },
    });
  });

  test('are refunded, once and of those counted only', async () => {
    sdk.on(UpdateItemCommand).resolvesOnce({}).rejects(conditionFailed());
    await ledger.refundIssue('hash', url);
    await ledger.refundIssue('hash', url);
    expect(update()).toMatchObject({
      id: 'set#hash',
      update: `REMOVE issued ${url}`,
      condition: `attribute_exists(issued ${url})`,
    });
  });

  test('are forgotten after a revocation but for the latest, so that one more passes', async () => {
    sdk.on(GetItemCommand).resolves({
      Item: {
        'issued https://ca.example/order/2': { S: '2027-01-01T03:00:00.000Z' },
        'issued https://ca.example/order/3': { S: '2027-01-01T05:00:00.000Z' },
        'issued https://ca.example/order/1': { S: '2027-01-01T01:00:00.000Z' },
      },
    });
    await ledger.allowIssue('hash');
    expect([update(0).update, update(1).update]).toEqual([
      'REMOVE issued https://ca.example/order/2',
      'REMOVE issued https://ca.example/order/1',
    ]);
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 2);
  });
});

describe('failed validations of an identifier', () => {
  const directory = 'https://ca.example/directory';
  const id = `failures#${directory}#example.com`;

  test('are those of the last hour, of each identifier asked for', async () => {
    const times = ['2027-01-01T05:30:00.000Z', '2027-01-01T05:00:00.000Z', '2027-01-01T05:00:01.000Z'];
    sdk.on(BatchGetItemCommand).resolves({
      Responses: { [TableName]: [{ id: { S: id }, failures: { SS: times }, expires: { N: '1798869600' } }] },
    });
    expect(await ledger.identifierFailures(directory, ['example.com', '*.example.com'], now)).toEqual(
      new Map([
        ['example.com', ['2027-01-01T05:00:01.000Z', '2027-01-01T05:30:00.000Z']],
        ['*.example.com', []],
      ]),
    );
    expect(sdk).toHaveReceivedCommandWith(BatchGetItemCommand, {
      RequestItems: {
        [TableName]: {
          Keys: [{ id: { S: id } }, { id: { S: `failures#${directory}#*.example.com` } }],
          ConsistentRead: true,
        },
      },
    });
  });

  test('are added to, and DynamoDB removes the item after a day', async () => {
    sdk.on(GetItemCommand).resolves({});
    await ledger.countIdentifierFailures(directory, ['example.com', 'example.com'], now);
    expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 1);
    expect(update()).toEqual({
      id,
      update: 'ADD failures :now SET expires = :expires',
      condition: undefined,
      // 2027-01-02T06:00:00Z
      values: { ':now': { SS: ['2027-01-01T06:00:00.000Z'] }, ':expires': { N: '1798869600' } },
    });
  });

  test('older than an hour are struck off, so that the item does not grow', async () => {
    sdk.on(GetItemCommand).resolves({
      Item: { failures: { SS: ['2027-01-01T04:00:00.000Z', '2027-01-01T05:30:00.000Z'] } },
    });
    await ledger.countIdentifierFailures(directory, ['example.com'], now);
    expect(update(0)).toMatchObject({
      id,
      update: 'DELETE failures :old',
      values: { ':old': { SS: ['2027-01-01T04:00:00.000Z'] } },
    });
    expect(update(1)).toMatchObject({ id, update: 'ADD failures :now SET expires = :expires' });
  });
});

test('every name that a write declares is used in it, as DynamoDB demands', async () => {
  sdk.on(GetItemCommand).resolves({ Item: { sets: { SS: ['a'] }, failures: { SS: ['2026-12-01T00:00:00.000Z'] } } });
  await ledger.takeLease({ certificate: 'www' }, run, now, other);
  await ledger.takeLease({ set: 'hash' }, run, now);
  await ledger.saveOrder('www', order, []);
  await ledger.saveOrder('www', order, [first]);
  await ledger.strikeLeftovers('www', [first]);
  await ledger.recordCurrent('www', me, current);
  await ledger.recordDelivery('www', me, 'us-east-1', delivery);
  await ledger.dropOrder('www', me, order.url);
  await ledger.saveRenewalInfo('www', renewalInfo);
  await ledger.recordRevocation('www', 'version-1');
  await ledger.recordFailure('www', me, failure, { notBefore: null, issuersFault: false });
  await ledger.recordFailure('www', me, failure, { notBefore: 't', issuersFault: true });
  await ledger.countIssue('hash', order.url, now);
  await ledger.refundIssue('hash', order.url);
  await ledger.countIdentifierFailures('https://ca.example/directory', ['example.com'], now);
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
