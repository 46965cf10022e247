import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ThrottledError } from '../../../domain/contract/errors.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new DynamoDBClient(clientSettings));

export type Item = Record<string, AttributeValue>;

/** One UpdateItem. Each attribute is `#name` in its expressions, since some names are reserved words (`order`). */
export interface Update {
  readonly expression: string;
  readonly condition?: string;
  readonly names: readonly string[];
  /** Names that no placeholder can be made of, by the placeholder that stands for each. */
  readonly aliases?: Readonly<Record<`#${string}`, string>>;
  readonly values?: Readonly<Item>;
}

/** DynamoDB allows letters, digits and underscores: `#us_east_1`. */
export const placeholder = (name: string): string => `#${name.replaceAll('-', '_')}`;

export interface LedgerTable {
  /** Strongly consistent; an empty item for one that is not there. */
  read(id: string): Promise<Item>;
  /** At most 100, as BatchGetItem takes: the certificates of a batch, the identifiers of a certificate. Those not there are absent. */
  readAll(ids: readonly string[]): Promise<ReadonlyMap<string, Item>>;
  /** `null` when it was written; the item as it is when the condition did not hold. */
  update(id: string, change: Update): Promise<Item | null>;
}

/** The third wait is 400 ms; a reply that is still not whole after that is left to the workflow's own waits. */
const batchWaits = [100, 200, 400] as const;

/** Single items of the table: consistent reads, conditional updates. */
export function ledgerTable(table: string, client = warmClient()): LedgerTable {
  return {
    async read(id) {
      const reply = await replyOf(
        { action: 'dynamodb:GetItem', resource: `item ${id} of table ${table}` },
        client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true })),
      );
      return reply.Item ?? {};
    },

    async update(id, { expression, condition, names, aliases, values }) {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: id } },
        UpdateExpression: expression,
        ConditionExpression: condition,
        ExpressionAttributeNames: { ...Object.fromEntries(names.map((name) => [placeholder(name), name])), ...aliases },
        ExpressionAttributeValues: values,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const call = { action: 'dynamodb:UpdateItem', resource: `item ${id} of table ${table}` };
      const refused = await replyOf(call, client.send(command), {
        ConditionalCheckFailedException: (error) => {
          return { item: (error instanceof ConditionalCheckFailedException && error.Item) || {} };
        },
      });
      return 'item' in refused ? refused.item : null;
    },

    async readAll(ids) {
      const found = new Map<string, Item>();
      let keys: Item[] = [...new Set(ids)].map((id) => ({ id: { S: id } }));
      const resource = `${keys.length} items of table ${table}`;
      for (const wait of [0, ...batchWaits]) {
        if (keys.length === 0) return found;
        await sleep(wait);
        const reply = await replyOf(
          { action: 'dynamodb:BatchGetItem', resource },
          client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } })),
        );
        for (const item of reply.Responses?.[table] ?? []) {
          if (item.id?.S !== undefined) found.set(item.id.S, item);
        }
        keys = reply.UnprocessedKeys?.[table]?.Keys ?? [];
      }
      if (keys.length === 0) return found;
      throw new ThrottledError(
        `dynamodb:BatchGetItem on ${resource}: ${keys.length} were left unread ${batchWaits.length + 1} times. It is tried again.`,
      );
    },
  };
}
