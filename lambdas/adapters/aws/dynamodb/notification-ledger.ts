import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { ProblemKind } from '../../../domain/contract/notification.ts';
import type { NotificationLedger, NotificationPage, Notified } from '../../../domain/ports/notification-ledger.ts';
import { replyOf } from '../translate-errors.ts';
import { fromAttribute, toAttribute } from './attribute-values.ts';
import { certificateId, certificateIn, certificateOf, fleetId, notifiedId, notifiedPrefix } from './ledger-item.ts';
import { type Item, type LedgerTable, ledgerTable, updateItem } from './ledger-table.ts';

/** The ledger as the function `notification` uses it. It reads all items with Scan, and writes items `notified#...` only. */
export function createNotificationLedger({
  table: name,
  client,
}: {
  readonly table: string;
  readonly client?: DynamoDBClient;
}): NotificationLedger {
  const table = ledgerTable(name, client);
  return {
    page: (after) => readPage(table, after),
    takeTurn: (...args) => takeTurn(table, ...args),
    endTurn: (invocation) => endTurn(table, invocation),
    record: (notified) => record(table, notified),
    forget: (...args) => forget(table, ...args),
  };
}

/** Reads one page, which is 1 MB of items. The position is the key of an item. */
async function readPage({ name, client }: LedgerTable, after: string | null): Promise<NotificationPage> {
  const reply = await replyOf(
    { action: 'dynamodb:Scan', resource: `table ${name}` },
    client.send(
      new ScanCommand({
        TableName: name,
        ...(after !== null && { ExclusiveStartKey: { id: { S: after } } }),
        FilterExpression: 'begins_with(#id, :certificate) OR begins_with(#id, :notified) OR #id = :fleet',
        ExpressionAttributeNames: { '#id': 'id' },
        ExpressionAttributeValues: {
          ':certificate': { S: certificateId('') },
          ':notified': { S: notifiedPrefix },
          ':fleet': { S: fleetId },
        },
      }),
    ),
  );
  const items = reply.Items ?? [];
  const fleet = items.find(({ id }) => id?.S === fleetId);
  return {
    entries: items.flatMap((item) => {
      const position = item.id?.S ?? '';
      const found = certificateIn(position);
      return found === null ? [] : [{ name: found, record: certificateOf(item), position }];
    }),
    notified: items.flatMap(notifiedIn),
    lastSelection: fleet?.lastSelection?.S ?? null,
    next: reply.LastEvaluatedKey?.id?.S ?? null,
  };
}

/** Reads an item `notified#<kind>#<certificate>`. A problem that was forgotten has no time. */
function notifiedIn(item: Item): Notified[] {
  const id = item.id?.S ?? '';
  if (!id.startsWith(notifiedPrefix) || !item.at?.S) return [];
  const [kind = '', certificate = ''] = id.slice(notifiedPrefix.length).split('#');
  return [
    {
      kind: kind as ProblemKind,
      certificate,
      error: item.error?.S ?? '',
      cause: item.cause?.S ?? '',
      at: item.at.S,
      action: fromAttribute(item.action) as string | null,
      detail: fromAttribute(item.detail) as string | null,
      solvedAt: fromAttribute(item.solvedAt) as string | null,
    },
  ];
}

const turnId = `${notifiedPrefix}turn`;

async function takeTurn(table: LedgerTable, invocation: string, now: Date, until: Date): Promise<boolean> {
  const item = await updateItem(table, turnId, {
    expression: 'SET #invocation = :invocation, #until = :until',
    condition: 'attribute_not_exists(#until) OR #until < :now OR #invocation = :invocation',
    values: {
      ':invocation': { S: invocation },
      ':now': { S: now.toISOString() },
      ':until': { S: until.toISOString() },
    },
  });
  return item === null;
}

async function endTurn(table: LedgerTable, invocation: string): Promise<void> {
  await updateItem(table, turnId, {
    expression: 'REMOVE #invocation, #until',
    condition: '#invocation = :invocation',
    values: { ':invocation': { S: invocation } },
  });
}

async function record(table: LedgerTable, { kind, certificate, ...fields }: Notified): Promise<void> {
  const entries = Object.entries(fields);
  await updateItem(table, notifiedId(kind, certificate), {
    expression: `SET ${entries.map(([name]) => `#${name} = :${name}`).join(', ')} REMOVE #expires`,
    values: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, toAttribute(value)])),
  });
}

/** No function may delete an item. So the time is removed, and DynamoDB deletes the item later. */
async function forget(
  table: LedgerTable,
  { kind, certificate }: Pick<Notified, 'kind' | 'certificate'>,
  expires: Date,
): Promise<void> {
  await updateItem(table, notifiedId(kind, certificate), {
    expression: 'SET #expires = :expires REMOVE #at',
    values: { ':expires': { N: String(Math.floor(expires.getTime() / 1000)) } },
  });
}
