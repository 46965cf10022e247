import type { Ledger } from '../../../domain/ports/ledger.ts';
import { failuresThisHour, issuesToday, spentIssues } from '../../../domain/rules/renewal/ledger-record.ts';
import { identifierFailuresId, identifierFailuresOf, issueAttribute, issuesOf, setId } from './ledger-item.ts';
import type { LedgerTable } from './ledger-table.ts';

/** An hour is what counts; DynamoDB removes an item within days of its time, at no cost. */
const daySeconds = 86_400;

/**
 * What is counted across certificates, so that together they stay under the CA's limits: issues of an identifier set, failed
 * validations of an identifier. No lease is needed: each count is one update, and none overwrites another's.
 */
export function ledgerCounts({
  read,
  readAll,
  update,
}: LedgerTable): Pick<
  Ledger,
  'issues' | 'countIssue' | 'refundIssue' | 'allowIssue' | 'identifierFailures' | 'countIdentifierFailures'
> {
  async function forgetIssue(setHash: string, orderUrl: string): Promise<void> {
    await update(setId(setHash), {
      expression: 'REMOVE #issue',
      // Without it the update of an item that is not there would make one.
      condition: 'attribute_exists(#issue)',
      names: [],
      aliases: { '#issue': issueAttribute(orderUrl) },
    });
  }

  /** Old times are struck off first: where the same name fails for months, the item would grow without a bound. */
  async function countFailure(id: string, now: Date): Promise<void> {
    const times = identifierFailuresOf(await read(id));
    const recent = failuresThisHour(times, now);
    const old = times.filter((time) => !recent.includes(time));
    if (old.length > 0) {
      await update(id, { expression: 'DELETE #failures :old', names: ['failures'], values: { ':old': { SS: old } } });
    }
    await update(id, {
      expression: 'ADD #failures :now SET #expires = :expires',
      names: ['failures', 'expires'],
      values: {
        ':now': { SS: [now.toISOString()] },
        ':expires': { N: String(Math.floor(now.getTime() / 1000) + daySeconds) },
      },
    });
  }

  return {
    issues: async (setHash, now) => issuesToday(issuesOf(await read(setId(setHash))), now),

    async countIssue(setHash, orderUrl, now) {
      await update(setId(setHash), {
        expression: 'SET #issue = if_not_exists(#issue, :now)',
        names: [],
        aliases: { '#issue': issueAttribute(orderUrl) },
        values: { ':now': { S: now.toISOString() } },
      });
    },

    refundIssue: (setHash, orderUrl) => forgetIssue(setHash, orderUrl),

    async allowIssue(setHash) {
      for (const orderUrl of spentIssues(issuesOf(await read(setId(setHash))))) await forgetIssue(setHash, orderUrl);
    },

    async identifierFailures(directoryUrl, identifiers, now) {
      const idOf = (identifier: string) => identifierFailuresId(directoryUrl, identifier);
      const items = await readAll(identifiers.map(idOf));
      return new Map(
        identifiers.map((identifier) => [
          identifier,
          failuresThisHour(identifierFailuresOf(items.get(idOf(identifier))), now),
        ]),
      );
    },

    async countIdentifierFailures(directoryUrl, identifiers, now) {
      for (const identifier of new Set(identifiers))
        await countFailure(identifierFailuresId(directoryUrl, identifier), now);
    },
  };
}
