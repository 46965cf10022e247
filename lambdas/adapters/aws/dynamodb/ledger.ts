import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Ledger } from '../../../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../../../domain/ports/ledger-certificate.ts';
import * as accounts from './ledger-accounts.ts';
import * as certificates from './ledger-certificates.ts';
import * as counts from './ledger-counts.ts';
import { certificateId, certificateIn, certificateOf } from './ledger-item.ts';
import { assertLease, release, takeLease } from './ledger-leases.ts';
import { debitOrder, readOrderBucket } from './ledger-order-bucket.ts';
import * as outcomes from './ledger-outcomes.ts';
import * as order from './ledger-saved-order.ts';
import { idsWith, type LedgerTable, ledgerTable, readItem, readItems } from './ledger-table.ts';

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
    account: (...args) => accounts.account(table, ...args),
    accountKeys: (...args) => accounts.accountKeys(table, ...args),

    takeLease: (...args) => takeLease(table, ...args),
    release: (...args) => release(table, ...args),
    assertLease: (...args) => assertLease(table, ...args),

    saveOrder: (...args) => order.saveOrder(table, ...args),
    dropOrder: (...args) => order.dropOrder(table, ...args),
    removeLeftovers: (...args) => order.removeLeftovers(table, ...args),
    recordLeftoversReported: (...args) => order.recordLeftoversReported(table, ...args),
    saveRenewalInfo: (...args) => certificates.saveRenewalInfo(table, ...args),
    recordAccount: (...args) => accounts.recordAccount(table, ...args),
    recordAccountKey: (...args) => accounts.recordAccountKey(table, ...args),
    markAccountStale: (...args) => accounts.markAccountStale(table, ...args),
    recordCurrent: (...args) => certificates.recordCurrent(table, ...args),
    recordRevocation: (...args) => certificates.recordRevocation(table, ...args),
    recordDelivery: (...args) => certificates.recordDelivery(table, ...args),
    recordPause: (...args) => certificates.recordPause(table, ...args),
    recordServed: (...args) => certificates.recordServed(table, ...args),
    recordComparison: (...args) => certificates.recordComparison(table, ...args),
    dropOutsideChanges: (...args) => certificates.dropOutsideChanges(table, ...args),
    recordAccess: (...args) => certificates.recordAccess(table, ...args),
    recordAnnounced: (...args) => outcomes.recordAnnounced(table, ...args),
    recordSuccess: (...args) => outcomes.recordSuccess(table, ...args),
    recordFailure: (...args) => outcomes.recordFailure(table, ...args),

    issues: (...args) => counts.issues(table, ...args),
    countIssue: (...args) => counts.countIssue(table, ...args),
    refundIssue: (...args) => counts.refundIssue(table, ...args),
    allowIssue: (...args) => counts.allowIssue(table, ...args),
    orderBucket: (...args) => readOrderBucket(table, ...args),
    debitOrder: (...args) => debitOrder(table, ...args),
    busyReply: (...args) => counts.busyReply(table, ...args),
    recordBusyReply: (...args) => counts.recordBusyReply(table, ...args),
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
