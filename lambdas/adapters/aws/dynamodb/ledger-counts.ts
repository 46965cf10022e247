import type { BusyReply } from '../../../domain/ports/ledger.ts';
import { failuresThisHour, issuesToday, spentIssues } from '../../../domain/rules/renewal/ledger-record.ts';
import { toAttribute } from './attribute-values.ts';
import {
  busyReplyOf,
  identifierFailuresId,
  identifierFailuresOf,
  issueAttribute,
  issuesOf,
  ordersId,
  setId,
} from './ledger-item.ts';
import { type LedgerTable, readItem, readItems, updateItem } from './ledger-table.ts';

/**
 * Counts across certificates, so that together they stay within the limits of the CA. Issues are counted by identifier set, and failed
 * validations by identifier. No lease is needed, because each count is one update and none overwrites another.
 */

export async function issues(
  table: LedgerTable,
  setHash: string,
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  return issuesToday(issuesOf(await readItem(table, setId(setHash))), now);
}

export async function countIssue(table: LedgerTable, setHash: string, orderUrl: string, now: Date): Promise<void> {
  await updateItem(table, setId(setHash), {
    expression: 'SET #issue = if_not_exists(#issue, :now)',
    aliases: { '#issue': issueAttribute(orderUrl) },
    values: { ':now': { S: now.toISOString() } },
  });
}

export async function refundIssue(table: LedgerTable, setHash: string, orderUrl: string): Promise<void> {
  await updateItem(table, setId(setHash), {
    expression: 'REMOVE #issue',
    // Without this condition UpdateItem would create a missing item.
    condition: 'attribute_exists(#issue)',
    aliases: { '#issue': issueAttribute(orderUrl) },
  });
}

export async function allowIssue(table: LedgerTable, setHash: string): Promise<void> {
  const counted = issuesOf(await readItem(table, setId(setHash)));
  for (const orderUrl of spentIssues(counted)) await refundIssue(table, setHash, orderUrl);
}

export async function identifierFailures(
  table: LedgerTable,
  directoryUrl: string,
  identifiers: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const idOf = (identifier: string) => identifierFailuresId(directoryUrl, identifier);
  const items = await readItems(table, identifiers.map(idOf));
  return new Map(
    identifiers.map((identifier) => [
      identifier,
      failuresThisHour(identifierFailuresOf(items.get(idOf(identifier))), now),
    ]),
  );
}

export async function countIdentifierFailures(
  table: LedgerTable,
  directoryUrl: string,
  identifiers: readonly string[],
  now: Date,
): Promise<void> {
  for (const identifier of new Set(identifiers)) {
    await countFailure(table, identifierFailuresId(directoryUrl, identifier), now);
  }
}

export async function busyReply(table: LedgerTable, directoryUrl: string): Promise<BusyReply | null> {
  return busyReplyOf(await readItem(table, ordersId(directoryUrl)));
}

export async function recordBusyReply(table: LedgerTable, directoryUrl: string, reply: BusyReply): Promise<void> {
  await updateItem(table, ordersId(directoryUrl), {
    expression: 'SET #busy = :busy',
    condition: 'attribute_not_exists(#busy) OR #busy.#certificate <> :certificate',
    values: { ':busy': toAttribute(reply), ':certificate': { S: reply.certificate } },
  });
}

/** Lifetime of an item, in seconds. Only the last hour counts. DynamoDB deletes expired items within days, at no cost. */
const daySeconds = 86_400;

/** Removes old times first. Otherwise the item of a name that fails for months would grow without a bound. */
async function countFailure(table: LedgerTable, id: string, now: Date): Promise<void> {
  const times = identifierFailuresOf(await readItem(table, id));
  const recent = failuresThisHour(times, now);
  const old = times.filter((time) => !recent.includes(time));
  if (old.length > 0) {
    await updateItem(table, id, { expression: 'DELETE #failures :old', values: { ':old': { SS: old } } });
  }
  await updateItem(table, id, {
    expression: 'ADD #failures :now SET #expires = :expires',
    values: {
      ':now': { SS: [now.toISOString()] },
      ':expires': { N: String(Math.floor(now.getTime() / 1000) + daySeconds) },
    },
  });
}
