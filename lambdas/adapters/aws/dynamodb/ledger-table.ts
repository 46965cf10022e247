import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ThrottledError } from '../../../domain/contract/errors.ts';
import { counted } from '../../../domain/rules/wording.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new DynamoDBClient(clientSettings));

/** The table that the functions of this folder read and write. */
export interface LedgerTable {
  readonly name: string;
  readonly client: DynamoDBClient;
}

export function ledgerTable(name: string, client = warmClient()): LedgerTable {
  return { name, client };
}

export type Item = Record<string, AttributeValue>;

/** One UpdateItem. Its expressions write each attribute as `#name`, because some names are reserved words (`order`). */
export interface Update {
  readonly expression: string;
  readonly condition?: string;
  /** Attributes whose names have characters that a placeholder cannot have, by placeholder. */
  readonly aliases?: Readonly<Record<`#${string}`, string>>;
  readonly values?: Readonly<Item>;
}

/** Reads an item with strong consistency. Returns an empty item if there is none. */
export async function readItem({ name, client }: LedgerTable, id: string): Promise<Item> {
  const reply = await replyOf(
    { action: 'dynamodb:GetItem', resource: `item ${id} of table ${name}` },
    client.send(new GetItemCommand({ TableName: name, Key: { id: { S: id } }, ConsistentRead: true })),
  );
  return reply.Item ?? {};
}

/** Reads the ids of all items that have this attribute, with eventual consistency. */
export async function idsWith({ name, client }: LedgerTable, attribute: string): Promise<readonly string[]> {
  const pages = paginateScan(
    { client },
    {
      TableName: name,
      ProjectionExpression: 'id',
      FilterExpression: 'attribute_exists(#attribute)',
      ExpressionAttributeNames: { '#attribute': attribute },
    },
  );
  const found: string[] = [];
  await replyOf(
    { action: 'dynamodb:Scan', resource: `table ${name}` },
    (async () => {
      for await (const { Items = [] } of pages) found.push(...Items.flatMap(({ id }) => id?.S ?? []));
    })(),
  );
  return found;
}

/** Updates or creates an item. Returns `null` when it was written, and the item as it is when the condition was not met. */
export async function updateItem({ name, client }: LedgerTable, id: string, change: Update): Promise<Item | null> {
  const command = new UpdateItemCommand({
    TableName: name,
    Key: { id: { S: id } },
    UpdateExpression: change.expression,
    ConditionExpression: change.condition,
    ExpressionAttributeNames: namesIn(change),
    ExpressionAttributeValues: change.values,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const call = { action: 'dynamodb:UpdateItem', resource: `item ${id} of table ${name}` };
  const reply = await replyOf(call, client.send(command), {
    ConditionalCheckFailedException: (error) => {
      return { item: (error instanceof ConditionalCheckFailedException && error.Item) || {} };
    },
  });
  return 'item' in reply ? reply.item : null;
}

/** The attribute name for each placeholder of the expressions. DynamoDB rejects a name that no expression uses. */
function namesIn({ expression, condition = '', aliases = {} }: Update): Record<string, string> {
  const placeholders = `${expression} ${condition}`.match(/#\w+/g) ?? [];
  return { ...Object.fromEntries(placeholders.map((each) => [each, each.slice(1)])), ...aliases };
}

/** Waits before unread items are read again, in ms. After the third wait the retries of the workflow apply. */
const batchWaits = [100, 200, 400] as const;

/**
 * Reads at most 100 items with strong consistency, which is the limit of BatchGetItem. That is a batch of certificates or the identifiers of one
 * certificate. Items that do not exist are absent from the map.
 */
export async function readItems({ name, client }: LedgerTable, ids: readonly string[]): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  let keys: Item[] = [...new Set(ids)].map((id) => ({ id: { S: id } }));
  const call = { action: 'dynamodb:BatchGetItem', resource: `${counted(keys.length, 'item')} of table ${name}` };
  for (const wait of [0, ...batchWaits]) {
    if (keys.length === 0) return found;
    await sleep(wait);
    const command = new BatchGetItemCommand({ RequestItems: { [name]: { Keys: keys, ConsistentRead: true } } });
    const reply = await replyOf(call, client.send(command));
    for (const item of reply.Responses?.[name] ?? []) {
      if (item.id?.S !== undefined) found.set(item.id.S, item);
    }
    keys = reply.UnprocessedKeys?.[name]?.Keys ?? [];
  }
  if (keys.length === 0) return found;
  throw new ThrottledError({
    what: `${call.action} on ${call.resource} left ${keys.length} unread ${batchWaits.length + 1} times.`,
    remedy: 'It is tried again.',
    ...call,
  });
}
