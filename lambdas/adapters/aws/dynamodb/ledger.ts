import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RecordedAccount } from '../../../domain/contract/certificate-facts.ts';
import type { Ledger, LedgerCertificate } from '../../../domain/ports/ledger.ts';
import { fromAttribute } from './attribute-values.ts';
import * as counts from './ledger-counts.ts';
import { accountId, certificateId, certificateIn, certificateOf } from './ledger-item.ts';
import { assertLease, release, takeLease } from './ledger-leases.ts';
import { debitOrder, readOrderBucket } from './ledger-orders.ts';
import { idsWith, type LedgerTable, ledgerTable, readItem, readItems } from './ledger-table.ts';
import * as writes from './ledger-writes.ts';

/** The ledger in one DynamoDB table. Every update can be repeated. The second time its condition is met again or its effect exists already. */
export function createLedger({
  table: name,
  client,
}: {
  readonly table: string;
  readonly client?: DynamoDBClient;
}): Ledger {
  const table = ledgerTable(name, client);
  return {
    certificate: (...args) => readCertificate(table, ...args),
    certificates: (...args) => readCertificates(table, ...args),
    withLeftovers: () => withLeftovers(table),
    account: (...args) => readAccount(table, ...args),
    accountKeys: (...args) => readAccountKeys(table, ...args),

    takeLease: (...args) => takeLease(table, ...args),
    release: (...args) => release(table, ...args),
    assertLease: (...args) => assertLease(table, ...args),

    saveOrder: (...args) => writes.saveOrder(table, ...args),
    dropOrder: (...args) => writes.dropOrder(table, ...args),
    removeLeftovers: (...args) => writes.removeLeftovers(table, ...args),
    recordLeftoversReported: (...args) => writes.recordLeftoversReported(table, ...args),
    saveRenewalInfo: (...args) => writes.saveRenewalInfo(table, ...args),
    recordAccount: (...args) => writes.recordAccount(table, ...args),
    recordAccountKey: (...args) => writes.recordAccountKey(table, ...args),
    markAccountStale: (...args) => writes.markAccountStale(table, ...args),
    recordCurrent: (...args) => writes.recordCurrent(table, ...args),
    recordRevocation: (...args) => writes.recordRevocation(table, ...args),
    recordDelivery: (...args) => writes.recordDelivery(table, ...args),
    recordPause: (...args) => writes.recordPause(table, ...args),
    recordServed: (...args) => writes.recordServed(table, ...args),
    recordComparison: (...args) => writes.recordComparison(table, ...args),
    dropOutsideChanges: (...args) => writes.dropOutsideChanges(table, ...args),
    recordAccess: (...args) => writes.recordAccess(table, ...args),
    recordAnnounced: (...args) => writes.recordAnnounced(table, ...args),
    recordSuccess: (...args) => writes.recordSuccess(table, ...args),
    recordFailure: (...args) => writes.recordFailure(table, ...args),

    issues: (...args) => counts.issues(table, ...args),
    countIssue: (...args) => counts.countIssue(table, ...args),
    refundIssue: (...args) => counts.refundIssue(table, ...args),
    allowIssue: (...args) => counts.allowIssue(table, ...args),
    orderBucket: (...args) => readOrderBucket(table, ...args),
    debitOrder: (...args) => debitOrder(table, ...args),
    identifierFailures: (...args) => counts.identifierFailures(table, ...args),
    countIdentifierFailures: (...args) => counts.countIdentifierFailures(table, ...args),
  };
}

async function readCertificate(table: LedgerTable, name: string): Promise<LedgerCertificate> {
  return certificateOf(await readItem(table, certificateId(name)));
}

async function readCertificates(
  table: LedgerTable,
  names: readonly string[],
): Promise<ReadonlyMap<string, LedgerCertificate>> {
  const items = await readItems(table, names.map(certificateId));
  return new Map(
    names.flatMap((name) => {
      const item = items.get(certificateId(name));
      return item ? [[name, certificateOf(item)]] : [];
    }),
  );
}

async function withLeftovers(table: LedgerTable): Promise<readonly string[]> {
  const ids = await idsWith(table, 'leftovers');
  return ids.flatMap((id) => certificateIn(id) ?? []);
}

async function readAccount(table: LedgerTable, directoryUrl: string): Promise<RecordedAccount | null> {
  return fromAttribute((await readItem(table, accountId(directoryUrl))).account) as RecordedAccount | null;
}

async function readAccountKeys(table: LedgerTable, directoryUrl: string): Promise<readonly string[]> {
  return (await readItem(table, accountId(directoryUrl))).accountKeys?.SS ?? [];
}
