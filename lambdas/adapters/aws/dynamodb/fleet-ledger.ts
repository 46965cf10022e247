import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { FleetLedger, LedgerPage } from '../../../domain/ports/fleet-ledger.ts';
import { replyOf } from '../translate-errors.ts';
import { saveRenewalInfo } from './ledger-certificates.ts';
import { certificateId, certificateIn, certificateOf, fleetId } from './ledger-item.ts';
import { take } from './ledger-leases.ts';
import { readOrderBucket } from './ledger-order-bucket.ts';
import { type LedgerTable, ledgerTable, readItem, updateItem } from './ledger-table.ts';

/** The ledger as the fleet workflow uses it. It reads all items with Scan, and writes renewal information and the item `fleet`. */
export function createFleetLedger({
  table: name,
  client,
}: {
  readonly table: string;
  readonly client?: DynamoDBClient;
}): FleetLedger {
  const table = ledgerTable(name, client);
  return {
    page: (after) => readPage(table, after),
    saveRenewalInfo: (...args) => saveRenewalInfo(table, ...args),
    orderBucket: (directoryUrl) => readOrderBucket(table, directoryUrl),
    takeLease: (execution, now, instead) =>
      take(table, fleetId, { execution, now, instead }, { expression: ' REMOVE #requestedAt' }),
    requestSelection: (holder, now) => requestSelection(table, holder, now),
    handOver: (...args) => handOver(table, ...args),
    release: (execution) => release(table, execution),
    cursor: async () => (await readItem(table, fleetId)).cursor?.S ?? null,
    saveCursor: (position) => saveCursor(table, position),
    lastSelection: () => readTime(table, 'lastSelection'),
    recordSelection: (time) => saveTime(table, 'lastSelection', time),
    recordPostponed: (certificate, since) => recordPostponed(table, certificate, since),
    recordReported: (certificate, kind, at) => recordReported(table, certificate, kind, at),
    comparedUntil: () => readTime(table, 'comparedUntil'),
    saveComparedUntil: (time) => saveTime(table, 'comparedUntil', time),
  };
}

/** Attributes of a certificate that decide what a fleet run does. The others stay in DynamoDB, so that fewer bytes are read and parsed. */
const attributes = [
  ...['id', 'lease', 'leasedAt', 'firstLeasedAt', 'current', 'deliveries', 'order', 'leftovers', 'failure', 'failures'],
  ...['issuerFailures', 'notBefore', 'renewalInfo', 'announcedVersion', 'revokedVersion', 'served', 'access'],
  ...['outside', 'pausedUntil', 'postponedSince', 'postponedReportedAt', 'expiringReportedAt'],
];

/** Reads one page, which is 1 MB of items. The position is the key of an item. */
async function readPage({ name, client }: LedgerTable, after: string | null): Promise<LedgerPage> {
  const reply = await replyOf(
    { action: 'dynamodb:Scan', resource: `table ${name}` },
    client.send(
      new ScanCommand({
        TableName: name,
        ...(after !== null && { ExclusiveStartKey: { id: { S: after } } }),
        ProjectionExpression: attributes.map((each) => `#${each}`).join(', '),
        FilterExpression: 'begins_with(#id, :certificate)',
        ExpressionAttributeNames: Object.fromEntries(attributes.map((each) => [`#${each}`, each])),
        ExpressionAttributeValues: { ':certificate': { S: certificateId('') } },
      }),
    ),
  );
  const entries = (reply.Items ?? []).flatMap((item) => {
    const position = item.id?.S ?? '';
    const found = certificateIn(position);
    return found === null ? [] : [{ name: found, record: certificateOf(item), position }];
  });
  return { entries, next: reply.LastEvaluatedKey?.id?.S ?? null };
}

async function requestSelection(table: LedgerTable, holder: string, now: Date): Promise<boolean> {
  const item = await updateItem(table, fleetId, {
    expression: 'SET #requestedAt = :now',
    condition: '#lease = :holder',
    values: { ':now': { S: now.toISOString() }, ':holder': { S: holder } },
  });
  return item === null;
}

async function handOver(table: LedgerTable, execution: string, next: string, now: Date): Promise<void> {
  await updateItem(table, fleetId, {
    expression: 'SET #lease = :next, #leasedAt = :now',
    condition: '#lease = :execution',
    values: { ':next': { S: next }, ':now': { S: now.toISOString() }, ':execution': { S: execution } },
  });
}

async function release(table: LedgerTable, execution: string): Promise<boolean> {
  const values = { ':execution': { S: execution } };
  const condition = '#lease = :execution';
  const item = await updateItem(table, fleetId, {
    expression: 'REMOVE #lease, #leasedAt',
    condition: `${condition} AND attribute_not_exists(#requestedAt)`,
    values,
  });
  if (item === null || item.lease?.S !== execution) return true;
  await updateItem(table, fleetId, { expression: 'REMOVE #requestedAt', condition, values });
  return false;
}

async function saveCursor(table: LedgerTable, position: string | null): Promise<void> {
  await updateItem(table, fleetId, {
    expression: position === null ? 'REMOVE #cursor' : 'SET #cursor = :position',
    ...(position !== null && { values: { ':position': { S: position } } }),
  });
}

async function recordPostponed(table: LedgerTable, certificate: string, since: Date | null): Promise<void> {
  await updateItem(
    table,
    certificateId(certificate),
    since === null
      ? { expression: 'REMOVE #postponedSince, #postponedReportedAt' }
      : { expression: 'SET #postponedSince = :since', values: { ':since': { S: since.toISOString() } } },
  );
}

async function recordReported(
  table: LedgerTable,
  certificate: string,
  kind: 'expiring' | 'postponed',
  at: Date,
): Promise<void> {
  await updateItem(table, certificateId(certificate), {
    expression: `SET #${kind}ReportedAt = :at`,
    values: { ':at': { S: at.toISOString() } },
  });
}

type SavedTime = 'lastSelection' | 'comparedUntil';

async function readTime(table: LedgerTable, name: SavedTime): Promise<Date | null> {
  const time = (await readItem(table, fleetId))[name]?.S;
  return time === undefined ? null : new Date(time);
}

async function saveTime(table: LedgerTable, name: SavedTime, time: Date): Promise<void> {
  await updateItem(table, fleetId, {
    expression: `SET #${name} = :time`,
    values: { ':time': { S: time.toISOString() } },
  });
}
