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
import { awsError } from '../aws-error.ts';

// Tests for rare replies of DynamoDB. `ledger-behaviour.ts` tests the contract of the port.
const me = 'arn:aws:states:us-east-1:123456789012:execution:renewal:me';
const other = 'arn:aws:states:us-east-1:123456789012:execution:renewal:other';
const TableName = 'ledger';

const sdk = mockClient(DynamoDBClient);
const ledger = createLedger({ table: TableName, client: new DynamoDBClient({ region: 'us-east-1' }) });

beforeEach(() => {
  sdk.reset();
});

test('every read is strongly consistent', async () => {
  sdk.on(GetItemCommand).resolves({ Item: { lease: { S: me } } });
  sdk.on(BatchGetItemCommand).resolves({ Responses: {} });
  sdk.on(UpdateItemCommand).resolves({});
  const directory = 'https://ca.example/directory';
  const now = new Date('2027-01-01T06:00:00.000Z');
  await ledger.certificate('www');
  await ledger.assertLease('www', me);
  await ledger.release('www', me);
  await ledger.account(directory);
  await ledger.orderBucket(directory);
  await ledger.busyReply(directory);
  await ledger.issues('hash', now);
  await ledger.certificates(['www']);
  await ledger.identifierFailures(directory, ['example.com'], now);
  const single = sdk.commandCalls(GetItemCommand).map(({ args }) => args[0].input.ConsistentRead);
  const batches = sdk.commandCalls(BatchGetItemCommand).map(({ args }) => args[0].input.RequestItems?.[TableName]);
  expect(single).toEqual([true, true, true, true, true, true, true]);
  expect(batches.map((batch) => batch?.ConsistentRead)).toEqual([true, true]);
});

describe('a batch read', () => {
  const keyOf = (name: string) => ({ id: { S: `certificate#${name}` } });

  test('requests the keys again that DynamoDB did not process', async () => {
    sdk
      .on(BatchGetItemCommand)
      .resolvesOnce({
        Responses: { [TableName]: [keyOf('a')] },
        UnprocessedKeys: { [TableName]: { Keys: [keyOf('b'), keyOf('c')] } },
      })
      .resolvesOnce({ Responses: { [TableName]: [{ ...keyOf('b'), lease: { S: me } }] } });
    const found = await ledger.certificates(['a', 'b', 'c']);
    expect([...found.keys()]).toEqual(['a', 'b']);
    expect(found.get('b')?.lease).toBe(me);
    expect(sdk).toHaveReceivedNthCommandWith(BatchGetItemCommand, 2, {
      RequestItems: { [TableName]: { Keys: [keyOf('b'), keyOf('c')], ConsistentRead: true } },
    });
  });

  test('is reported as throttling if DynamoDB does not process some keys four times', async () => {
    sdk
      .on(BatchGetItemCommand)
      .resolves({ Responses: {}, UnprocessedKeys: { [TableName]: { Keys: [keyOf('a'), keyOf('b')] } } });
    await expect(ledger.certificates(['a', 'b', 'c'])).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringMatching(/\b2\b.*\b4\b/),
      fields: { action: 'dynamodb:BatchGetItem', resource: '3 items of table ledger' },
    });
    expect(sdk).toHaveReceivedCommandTimes(BatchGetItemCommand, 4);
  });

  test('of no certificates makes no call, because DynamoDB rejects an empty batch', async () => {
    expect(await ledger.certificates([])).toEqual(new Map());
    expect(sdk).not.toHaveReceivedCommand(BatchGetItemCommand);
  });
});

test('an order whose bucket other executions keep changing is reported as throttling', async () => {
  const Item = { tokens: { N: '5' }, at: { S: '2027-01-01T06:00:00.000Z' }, debits: { M: {} }, updates: { N: '7' } };
  sdk.on(GetItemCommand).resolves({ Item });
  const error = { message: 'The conditional request failed', $metadata: { httpStatusCode: 400 }, Item };
  sdk.on(UpdateItemCommand).rejects(new ConditionalCheckFailedException(error));
  const limit = { burst: 10, everySeconds: 36 };
  const debit = ledger.debitOrder('https://ca.example/directory', me, limit, new Date('2027-01-01T06:00:00.000Z'));
  await expect(debit).rejects.toMatchObject({
    name: 'ThrottledError',
    fields: { action: 'dynamodb:UpdateItem', resource: 'item orders#https://ca.example/directory of table ledger' },
  });
  expect(sdk).toHaveReceivedCommandTimes(UpdateItemCommand, 20);
});

test('no write includes an empty set, which DynamoDB rejects', async () => {
  sdk.on(UpdateItemCommand).resolves({});
  const order = { url: 'u', finalize: 'f', expires: null, execution: me, specHash: 's', directoryUrl: 'd' };
  await ledger.removeLeftovers('www', []);
  await ledger.saveOrder('www', order, []);
  const values = sdk.commandCalls(UpdateItemCommand).map(({ args }) => args[0].input.ExpressionAttributeValues ?? {});
  expect(values.flatMap((each) => Object.values(each)).filter(({ SS }) => SS?.length === 0)).toEqual([]);
  expect(values).toHaveLength(1);
});

test('a denied call names the item and the table', async () => {
  sdk.on(GetItemCommand).rejects(awsError('AccessDeniedException'));
  await expect(ledger.certificate('www')).rejects.toMatchObject({
    name: 'AccessDeniedError',
    message: expect.stringMatching(/dynamodb:GetItem.*certificate#www.*ledger/),
  });
});

test('a write that conflicts with a transaction is reported as throttling', async () => {
  sdk.on(UpdateItemCommand).rejects(awsError('TransactionConflictException'));
  await expect(ledger.recordSuccess('www', me, { renewalTime: null, announcedVersion: null })).rejects.toMatchObject({
    name: 'ThrottledError',
  });
});

describe('a lost lease', () => {
  test.each([
    ['another execution holds it', { lease: { S: other } }, other],
    ['no execution holds it', {}, 'No execution'],
  ])('is reported with its holder if %s', async (_, Item: Record<string, AttributeValue>, holder) => {
    const lost = {
      name: 'LeaseLostError',
      message: expect.stringMatching(`${me}.*lease.*${holder}`),
      fields: { certificate: 'www' },
    };
    sdk.on(GetItemCommand).resolves({ Item });
    await expect(ledger.assertLease('www', me)).rejects.toMatchObject(lost);
    const error = { message: 'The conditional request failed', $metadata: { httpStatusCode: 400 }, Item };
    sdk.on(UpdateItemCommand).rejects(new ConditionalCheckFailedException(error));
    await expect(ledger.recordSuccess('www', me, { renewalTime: null, announcedVersion: null })).rejects.toMatchObject(
      lost,
    );
  });
});
