import type { TxtValue } from '../../../domain/contract/certificate-facts.ts';
import type { SavedOrder } from '../../../domain/ports/ledger-certificate.ts';
import { toAttribute } from './attribute-values.ts';
import { certificateId, leftoverSet } from './ledger-item.ts';
import { updateLeased } from './ledger-leases.ts';
import { type LedgerTable, updateItem } from './ledger-table.ts';

export function saveOrder(
  table: LedgerTable,
  certificate: string,
  order: SavedOrder,
  values: readonly TxtValue[],
): Promise<void> {
  const leftovers = values.length > 0 ? { ':leftovers': leftoverSet(values) } : null;
  return updateLeased(table, certificate, order.execution, {
    expression: `SET #order = :order${leftovers ? ' ADD #leftovers :leftovers' : ''}`,
    values: { ':order': toAttribute(order), ...leftovers },
  });
}

export function dropOrder(table: LedgerTable, certificate: string, execution: string, orderUrl: string): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression: 'REMOVE #order',
    // If the condition is not met, another order was saved or there is none, so there is nothing to remove.
    condition: '#order.#url = :url',
    values: { ':url': { S: orderUrl } },
  });
}

export async function removeLeftovers(
  table: LedgerTable,
  certificate: string,
  values: readonly TxtValue[],
): Promise<void> {
  if (values.length === 0) return;
  await updateItem(table, certificateId(certificate), {
    expression: 'DELETE #leftovers :leftovers',
    // Without this condition UpdateItem would create a missing item.
    condition: 'attribute_exists(#leftovers)',
    values: { ':leftovers': leftoverSet(values) },
  });
}

export function recordLeftoversReported(
  table: LedgerTable,
  certificate: string,
  execution: string,
  at: Date,
  forgotten: readonly TxtValue[],
): Promise<void> {
  const removed = forgotten.length > 0 ? { ':forgotten': leftoverSet(forgotten) } : null;
  return updateLeased(table, certificate, execution, {
    expression: `SET #leftoversReportedAt = :at${removed ? ' DELETE #leftovers :forgotten' : ''}`,
    values: { ':at': { S: at.toISOString() }, ...removed },
  });
}
