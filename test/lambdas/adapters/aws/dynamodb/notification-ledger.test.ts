import { DynamoDBClient, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createNotificationLedger } from '../../../../../lambdas/adapters/aws/dynamodb/notification-ledger.ts';
import { awsError } from '../aws-error.ts';

const dynamodb = mockClient(DynamoDBClient);
const ledger = createNotificationLedger({ table: 'Ledger', client: new DynamoDBClient({ region: 'us-east-1' }) });

beforeEach(() => {
  dynamodb.reset();
});

const notified = {
  kind: 'failing' as const,
  certificate: 'www',
  error: 'CaaError',
  cause: '0123',
  at: '2026-03-01T12:00:00.000Z',
  action: null,
  detail: 'A text.',
  solvedAt: null,
};

test('reads certificates, notified problems and the last completed fleet run in one pass', async () => {
  dynamodb
    .on(ScanCommand)
    .resolvesOnce({
      Items: [
        { id: { S: 'certificate#www' }, notBefore: { S: '2026-03-02T00:00:00Z' } },
        { id: { S: 'notified#turn' }, until: { S: '2026-03-01T12:05:00Z' } },
        { id: { S: 'notified#failing#old' }, expires: { N: '1772400000' } },
        { id: { S: 'notified#failing#www' }, ...attributes() },
      ],
      LastEvaluatedKey: { id: { S: 'certificate#www' } },
    })
    .resolvesOnce({ Items: [{ id: { S: 'fleet' }, lastSelection: { S: '2026-03-01T11:00:00.000Z' } }] });
  const first = await ledger.page(null);
  expect(first).toMatchObject({ notified: [notified], lastSelection: null, next: 'certificate#www' });
  expect(first.entries).toMatchObject([{ name: 'www', record: { notBefore: '2026-03-02T00:00:00Z' } }]);
  expect(await ledger.page(first.next)).toEqual({
    entries: [],
    notified: [],
    lastSelection: '2026-03-01T11:00:00.000Z',
    next: null,
  });
});

function attributes() {
  const { error, cause, at, detail } = notified;
  return {
    ...{ error: { S: error }, cause: { S: cause }, at: { S: at }, detail: { S: detail } },
    ...{ action: { NULL: true }, solvedAt: { NULL: true } },
  };
}

test('writes only items of notifications', async () => {
  dynamodb.on(UpdateItemCommand).resolves({});
  const now = new Date('2026-03-01T12:00:00Z');
  await ledger.record(notified);
  await ledger.forget(notified, now);
  expect(await ledger.takeTurn('invocation', now, now)).toBe(true);
  await ledger.endTurn('invocation');
  const inputs = dynamodb.commandCalls(UpdateItemCommand).map(({ args }) => args[0].input);
  expect(inputs.map(({ Key }) => Key?.id?.S)).toEqual([
    ...['notified#failing#www', 'notified#failing#www', 'notified#turn', 'notified#turn'],
  ]);
  expect(inputs[0]?.ExpressionAttributeValues).toMatchObject({
    ':error': { S: 'CaaError' },
    ':action': { NULL: true },
  });
  expect(inputs[1]?.ExpressionAttributeValues).toEqual({ ':expires': { N: '1772366400' } });
});

test('does not take the turn of another invocation', async () => {
  dynamodb.on(UpdateItemCommand).rejects(awsError('ConditionalCheckFailedException'));
  const now = new Date('2026-03-01T12:00:00Z');
  expect(await ledger.takeTurn('invocation', now, now)).toBe(false);
});
