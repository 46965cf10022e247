import type { OrderLimit } from '../../../domain/contract/config.ts';
import { ThrottledError } from '../../../domain/contract/errors.ts';
import type { OrderBucket } from '../../../domain/ports/ledger.ts';
import { debitedBucket } from '../../../domain/rules/renewal/order-bucket.ts';
import { toAttribute } from './attribute-values.ts';
import { orderBucketOf, ordersId } from './ledger-item.ts';
import { type Item, type LedgerTable, readItem, updateItem } from './ledger-table.ts';

/**
 * Updates before the retries of the workflow apply. An update fails only if that of another execution has succeeded since the read. Fleet runs
 * start less than one order a second, so nearly every first update succeeds.
 */
const tries = 20;

export async function readOrderBucket(table: LedgerTable, directoryUrl: string): Promise<OrderBucket | null> {
  return orderBucketOf(await readItem(table, ordersId(directoryUrl)));
}

/**
 * Takes a token from the bucket of a directory. The rule decides on the item as it was read, and the update requires that the item has not changed
 * since. An execution that was debited is in the item, so that a repeated call changes nothing.
 */
export async function debitOrder(
  table: LedgerTable,
  directoryUrl: string,
  execution: string,
  limit: OrderLimit,
  now: Date,
): Promise<void> {
  const id = ordersId(directoryUrl);
  let item: Item | null = await readItem(table, id);
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const bucket = debitedBucket(orderBucketOf(item), execution, limit, now);
    if (!bucket) return;
    const seen = item.updates?.N;
    item = await updateItem(table, id, {
      expression: 'SET #tokens = :tokens, #at = :at, #debits = :debits, #updates = :updates',
      condition: seen ? '#updates = :seen' : 'attribute_not_exists(#updates)',
      values: {
        ':tokens': toAttribute(bucket.tokens),
        ':at': toAttribute(bucket.at),
        ':debits': toAttribute(bucket.debits),
        ':updates': toAttribute(Number(seen ?? 0) + 1),
        ...(seen && { ':seen': { N: seen } }),
      },
    });
    if (!item) return;
  }
  throw new ThrottledError({
    what: `The order was not counted, because other executions changed ${id} ${tries} times.`,
    remedy: 'It is tried again.',
    action: 'dynamodb:UpdateItem',
    resource: `item ${id} of table ${table.name}`,
  });
}
