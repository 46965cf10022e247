import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { LeaseLostError, ThrottledError } from '../rules/errors.ts';
import type { LeaseHolder, LeaseKey, Ledger, LedgerCertificate } from '../rules/ports.ts';
import { toAttribute } from './attribute-values.ts';
import { clientSettings, keptWarm } from './client.ts';
import { replyOf } from './errors.ts';
import { certificateId, certificateOf, leftoverSet, setId, setsOf } from './ledger-item.ts';

const warmClient = keptWarm(() => new DynamoDBClient(clientSettings));

/** One UpdateItem. Each attribute is `#name` in its expressions, since some names are reserved words (`order`). */
interface Update {
  readonly expression: string;
  readonly condition?: string;
  readonly names: readonly string[];
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

type Item = Record<string, AttributeValue>;

/** DynamoDB allows letters, digits and underscores: `#us_east_1`. */
const placeholder = (name: string): string => `#${name.replaceAll('-', '_')}`;

/** The ledger in one DynamoDB table. Every update is repeatable: its condition holds, or its effect is there, a second time. */
export function createLedger({
  table,
  client = warmClient(),
}: {
  readonly table: string;
  readonly client?: DynamoDBClient;
}): Ledger {
  async function read(id: string): Promise<Item> {
    const reply = await replyOf(
      { action: 'dynamodb:GetItem', resource: `item ${id} of table ${table}` },
      client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true })),
    );
    return reply.Item ?? {};
  }

  /** `null` when it was written; the item as it is when the condition did not hold. */
  async function update(id: string, { expression, condition, names, values }: Update): Promise<Item | null> {
    const command = new UpdateItemCommand({
      TableName: table,
      Key: { id: { S: id } },
      UpdateExpression: expression,
      ConditionExpression: condition,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [placeholder(name), name])),
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
  }

  /** An update that holds only while this execution has the certificate's lease. */
  async function updateLeased(certificate: string, execution: string, change: Update): Promise<void> {
    const holds = '#lease = :execution';
    const item = await update(certificateId(certificate), {
      expression: change.expression,
      condition: change.condition ? `${holds} AND ${change.condition}` : holds,
      names: [...change.names, 'lease'],
      values: { ...change.values, ':execution': { S: execution } },
    });
    if (item && item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
  }

  async function take(id: string, execution: string, now: Date, instead: string | undefined, change: Update) {
    const item = await update(id, {
      expression: `SET #lease = :execution, #leasedAt = :now${change.expression}`,
      condition: `attribute_not_exists(#lease) OR #lease = :execution${instead ? ' OR #lease = :instead' : ''}`,
      names: ['lease', 'leasedAt', ...change.names],
      values: {
        ':execution': { S: execution },
        ':now': { S: now.toISOString() },
        ...(instead ? { ':instead': { S: instead } } : {}),
        ...change.values,
      },
    });
    return item && holderOf(item);
  }

  async function giveBack(id: string, execution: string, alsoRemove: readonly string[]): Promise<void> {
    const names = ['lease', 'leasedAt', ...alsoRemove];
    await update(id, {
      expression: `REMOVE ${names.map(placeholder).join(', ')}`,
      condition: '#lease = :execution',
      names,
      values: { ':execution': { S: execution } },
    });
  }

  return {
    certificate: async (name) => certificateOf(await read(certificateId(name))),

    certificates: (names) => readAll(client, table, [...new Set(names)]),

    async takeLease(key: LeaseKey, { certificate, execution }, now, instead): Promise<LeaseHolder | null> {
      if ('certificate' in key) {
        return take(certificateId(key.certificate), execution, now, instead, {
          expression: ', #deliveries = if_not_exists(#deliveries, :empty)',
          names: ['deliveries'],
          values: { ':empty': { M: {} } },
        });
      }
      // Noted first: a lease of a set that is not noted would be held until somebody found this execution dead.
      await updateLeased(certificate, execution, {
        expression: 'ADD #sets :sets',
        names: ['sets'],
        values: { ':sets': { SS: [key.set] } },
      });
      return take(setId(key.set), execution, now, instead, {
        expression: ', #certificate = :certificate',
        names: ['certificate'],
        values: { ':certificate': { S: certificate } },
      });
    },

    async release(certificate, execution) {
      const sets = setsOf(await read(certificateId(certificate)));
      // The certificate's last: until then a second release still finds the sets.
      for (const set of sets) await giveBack(setId(set), execution, []);
      await giveBack(certificateId(certificate), execution, ['sets']);
    },

    async assertLease(certificate, execution) {
      const item = await read(certificateId(certificate));
      if (item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
    },

    saveOrder: (certificate, order, values) =>
      updateLeased(certificate, order.execution, {
        expression: `SET #order = :order${values.length > 0 ? ' ADD #leftovers :leftovers' : ''}`,
        names: ['order', ...(values.length > 0 ? ['leftovers'] : [])],
        values: { ':order': toAttribute(order), ...(values.length > 0 ? { ':leftovers': leftoverSet(values) } : {}) },
      }),

    async strikeLeftovers(certificate, values) {
      if (values.length === 0) return;
      await update(certificateId(certificate), {
        expression: 'DELETE #leftovers :leftovers',
        // Nothing to strike in an item that is not there, and none shall be made.
        condition: 'attribute_exists(#leftovers)',
        names: ['leftovers'],
        values: { ':leftovers': leftoverSet(values) },
      });
    },

    recordCurrent: (certificate, execution, current) =>
      updateLeased(certificate, execution, {
        expression: 'SET #current = :current',
        names: ['current'],
        values: { ':current': toAttribute(current) },
      }),

    recordDelivery: (certificate, execution, region, delivery) =>
      updateLeased(certificate, execution, {
        expression: `SET #deliveries.${placeholder(region)} = :delivery`,
        names: ['deliveries', region],
        values: { ':delivery': toAttribute(delivery) },
      }),

    recordSuccess: (certificate, execution) =>
      updateLeased(certificate, execution, {
        expression: 'REMOVE #order, #failure, #failures, #notBefore',
        names: ['order', 'failure', 'failures', 'notBefore'],
      }),

    recordFailure: (certificate, execution, failure, notBefore) =>
      // The count stands beside the failure: it is raised in the same write that replaces the failure whole.
      updateLeased(certificate, execution, {
        expression:
          'SET #failure = :failure, #failures = if_not_exists(#failures, :zero) + :one' +
          (notBefore === null ? ' REMOVE #order, #notBefore' : ', #notBefore = :notBefore REMOVE #order'),
        // A repeated write after a lost reply counts once: it has the same time.
        condition: '(attribute_not_exists(#failure) OR #failure.#last <> :last)',
        names: ['failure', 'failures', 'last', 'order', 'notBefore'],
        values: {
          ':failure': toAttribute(failure),
          ':last': { S: failure.last },
          ':zero': { N: '0' },
          ':one': { N: '1' },
          ...(notBefore === null ? {} : { ':notBefore': { S: notBefore } }),
        },
      }),
  };
}

/** The third wait is 400 ms; a reply that is still not whole after that is left to the workflow's own waits. */
const batchWaits = [100, 200, 400] as const;

async function readAll(
  client: DynamoDBClient,
  table: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, LedgerCertificate>> {
  const found = new Map<string, LedgerCertificate>();
  const nameOf = new Map(names.map((name) => [certificateId(name), name]));
  let keys: Item[] = names.map((name) => ({ id: { S: certificateId(name) } }));
  const resource = `${names.length} items of table ${table}`;
  for (const wait of [0, ...batchWaits]) {
    if (keys.length === 0) return found;
    await sleep(wait);
    const reply = await replyOf(
      { action: 'dynamodb:BatchGetItem', resource },
      client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } })),
    );
    for (const item of reply.Responses?.[table] ?? []) {
      const name = nameOf.get(item.id?.S ?? '');
      if (name !== undefined) found.set(name, certificateOf(item));
    }
    keys = reply.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  if (keys.length === 0) return found;
  throw new ThrottledError(
    `dynamodb:BatchGetItem on ${resource}: ${keys.length} were left unread ${batchWaits.length + 1} times. It is tried again.`,
  );
}

function holderOf(item: Item): LeaseHolder {
  return { execution: item.lease?.S ?? '', since: item.leasedAt?.S ?? '' };
}

function leaseLost(certificate: string, execution: string, item: Item): LeaseLostError {
  const holder = item.lease?.S ? `execution ${item.lease.S} does` : 'nobody does';
  return new LeaseLostError(
    `Execution ${execution} does not hold the lease of certificate ${certificate}, ${holder}: it writes nothing more about it. ` +
      'The one that holds it, or the next fleet run, carries on.',
  );
}
