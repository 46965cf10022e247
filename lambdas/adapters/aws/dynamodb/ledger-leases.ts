import { LeaseLostError } from '../../../domain/contract/errors.ts';
import type { LeaseHolder, LeaseKey } from '../../../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../../../domain/ports/ledger-certificate.ts';
import { certificateId, certificateOf, setId, setsOf } from './ledger-item.ts';
import { type Item, type LedgerTable, readItem, type Update, updateItem } from './ledger-table.ts';

/**
 * Leases on certificates, on identifier sets and on the fleet. An item's `lease` is the ARN of the execution that holds it, and the item of a
 * certificate lists the sets whose leases were taken for it.
 */

export async function takeLease(
  table: LedgerTable,
  key: LeaseKey,
  { certificate, execution }: { readonly certificate: string; readonly execution: string },
  now: Date,
  instead?: string,
): Promise<LeaseHolder | null> {
  const lease = { execution, now, instead };
  if ('certificate' in key) {
    return take(table, certificateId(key.certificate), lease, {
      // DynamoDB adds a region to an existing map, but does not create the map.
      expression:
        ', #firstLeasedAt = if_not_exists(#firstLeasedAt, :now), #deliveries = if_not_exists(#deliveries, :empty)',
      values: { ':empty': { M: {} } },
    });
  }
  // The set is added before its lease is taken. Otherwise its lease would stay until another execution finds that this one has ended.
  await updateLeased(table, certificate, execution, {
    expression: 'SET #ordering = :execution ADD #sets :sets',
    values: { ':sets': { SS: [key.set] } },
  });
  return take(table, setId(key.set), lease, {
    expression: ', #certificate = :certificate',
    values: { ':certificate': { S: certificate } },
  });
}

/** Takes the lease of an item. Returns `null` on success, else the holder. `also` is added to the update. */
export async function take(
  table: LedgerTable,
  id: string,
  { execution, now, instead }: { readonly execution: string; readonly now: Date; readonly instead: string | undefined },
  also: Update,
): Promise<LeaseHolder | null> {
  const item = await updateItem(table, id, {
    expression: `SET #lease = :execution, #leasedAt = :now${also.expression}`,
    condition: `attribute_not_exists(#lease) OR #lease = :execution${instead ? ' OR #lease = :instead' : ''}`,
    values: {
      ':execution': { S: execution },
      ':now': { S: now.toISOString() },
      ...(instead ? { ':instead': { S: instead } } : {}),
      ...also.values,
    },
  });
  return (
    item && {
      execution: item.lease?.S ?? '',
      since: item.leasedAt?.S ?? '',
      orders: item.ordering?.S === item.lease?.S,
    }
  );
}

export async function release(table: LedgerTable, certificate: string, execution: string): Promise<void> {
  const values = { ':execution': { S: execution } };
  const condition = '#lease = :execution';
  const sets = setsOf(await readItem(table, certificateId(certificate)));
  for (const set of sets) {
    await updateItem(table, setId(set), { expression: 'REMOVE #lease, #leasedAt', condition, values });
  }
  // This is last, so that a repeated release still finds the sets.
  await updateItem(table, certificateId(certificate), {
    expression: 'REMOVE #lease, #leasedAt, #sets, #ordering',
    condition,
    values,
  });
}

export async function assertLease(
  table: LedgerTable,
  certificate: string,
  execution: string,
): Promise<LedgerCertificate> {
  const item = await readItem(table, certificateId(certificate));
  if (item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
  return certificateOf(item);
}

/**
 * Updates the item of a certificate while this execution holds its lease, and throws `LeaseLostError` otherwise. Where only the
 * condition of the update itself is not met, nothing is written and nothing is thrown.
 */
export async function updateLeased(
  table: LedgerTable,
  certificate: string,
  execution: string,
  change: Update,
): Promise<void> {
  const holds = '#lease = :execution';
  const item = await updateItem(table, certificateId(certificate), {
    expression: change.expression,
    condition: change.condition ? `${holds} AND ${change.condition}` : holds,
    values: { ...change.values, ':execution': { S: execution } },
    ...(change.aliases && { aliases: change.aliases }),
  });
  if (item && item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
}

function leaseLost(certificate: string, execution: string, item: Item): LeaseLostError {
  return new LeaseLostError({
    what: `Execution ${execution} does not hold the lease, so it writes nothing more.`,
    why: item.lease?.S ? `Execution ${item.lease.S} holds it.` : 'No execution holds it.',
    remedy: 'The execution that holds the lease, or the next fleet run, continues.',
    certificate,
  });
}
