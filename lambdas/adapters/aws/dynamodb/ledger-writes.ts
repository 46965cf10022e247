import type {
  CertificateFacts,
  Delivery,
  IssuerAccount,
  RecordedAccount,
  TxtValue,
} from '../../../domain/contract/certificate-facts.ts';
import type {
  Comparison,
  EndpointCheck,
  RecordedFailure,
  RecordedSuccess,
  SavedOrder,
  SavedRenewalInfo,
} from '../../../domain/ports/ledger.ts';
import { toAttribute } from './attribute-values.ts';
import { accountId, certificateId, leftoverSet } from './ledger-item.ts';
import { updateLeased } from './ledger-leases.ts';
import { type LedgerTable, updateItem } from './ledger-table.ts';

// Writes about one certificate. A write with an execution requires the lease. The other writes have a condition of their own.

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

export function recordCurrent(
  table: LedgerTable,
  certificate: string,
  execution: string,
  current: CertificateFacts,
): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression: 'SET #current = :current',
    values: { ':current': toAttribute(current) },
  });
}

export function recordDelivery(
  table: LedgerTable,
  certificate: string,
  execution: string,
  region: string,
  delivery: Delivery,
): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression: 'SET #deliveries.#region = :delivery',
    aliases: { '#region': region },
    values: { ':delivery': toAttribute(delivery) },
  });
}

export async function recordComparison(
  table: LedgerTable,
  certificate: string,
  { versionId, outside, imports }: Comparison,
): Promise<void> {
  const each = Object.entries(imports).map(([region, { arn, found }], index) => {
    return { region, arn, found, path: `#deliveries.#r${index}`, index };
  });
  const set = each.filter(({ found }) => found !== undefined);
  const removed = each.filter(({ found }) => found === undefined);
  const sets = [
    ...(outside ? ['#outside = :outside'] : []),
    ...set.map(({ path, index }) => `${path}.#found = :f${index}`),
  ];
  const removes = [...(outside ? [] : ['#outside']), ...removed.map(({ path }) => `${path}.#found`)];
  await updateItem(table, certificateId(certificate), {
    expression: [sets.length > 0 && `SET ${sets.join()}`, removes.length > 0 && `REMOVE ${removes.join()}`]
      .filter(Boolean)
      .join(' '),
    // If the condition is not met, an execution works on the certificate or has worked on it since, so the comparison no longer applies.
    condition: [
      'attribute_not_exists(#lease) AND #current.#versionId = :versionId',
      ...each.map(({ path, index }) => `${path}.#arn = :a${index}`),
    ].join(' AND '),
    aliases: Object.fromEntries(each.map(({ region, index }) => [`#r${index}`, region])),
    values: {
      ':versionId': { S: versionId },
      ...(outside && { ':outside': toAttribute(outside) }),
      ...Object.fromEntries(each.map(({ arn, index }) => [`:a${index}`, { S: arn }])),
      ...Object.fromEntries(set.map(({ found, index }) => [`:f${index}`, toAttribute(found)])),
    },
  });
}

export function dropOutsideChanges(table: LedgerTable, certificate: string, execution: string): Promise<void> {
  return updateLeased(table, certificate, execution, { expression: 'REMOVE #outside' });
}

export function recordAccess(
  table: LedgerTable,
  certificate: string,
  execution: string,
  access: string,
  tagKeys?: readonly string[],
): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression: `SET #access = :access${tagKeys ? ', #tagKeys = :tagKeys' : ''}`,
    values: { ':access': { S: access }, ...(tagKeys && { ':tagKeys': toAttribute(tagKeys) }) },
  });
}

export async function recordRevocation(table: LedgerTable, certificate: string, versionId: string): Promise<void> {
  await updateItem(table, certificateId(certificate), {
    expression: 'SET #revokedVersion = :versionId',
    // After the table was lost, the replacement renewal rebuilds the item. A partial item would prevent that.
    condition: 'attribute_exists(#id)',
    values: { ':versionId': { S: versionId } },
  });
}

export async function saveRenewalInfo(
  table: LedgerTable,
  certificate: string,
  renewalInfo: SavedRenewalInfo,
  renewalTime: Date,
): Promise<void> {
  await updateItem(table, certificateId(certificate), {
    expression: 'SET #renewalInfo = :renewalInfo, #renewalTime = :renewalTime',
    // If the condition is not met, another certificate is current, and the window does not apply to it.
    condition: '#current.#certificateId = :certificateId',
    values: {
      ':renewalInfo': toAttribute(renewalInfo),
      ':renewalTime': { S: renewalTime.toISOString() },
      ':certificateId': { S: renewalInfo.certificateId },
    },
  });
}

export async function recordPause(table: LedgerTable, certificate: string, until: string | null): Promise<void> {
  await updateItem(
    table,
    certificateId(certificate),
    until === null
      ? { expression: 'REMOVE #pausedUntil' }
      : { expression: 'SET #pausedUntil = :until', values: { ':until': { S: until } } },
  );
}

export async function recordServed(table: LedgerTable, certificate: string, served: EndpointCheck): Promise<void> {
  await updateItem(table, certificateId(certificate), {
    expression: 'SET #served = :served',
    // If the condition is not met, another version is current, and the check does not apply to it.
    condition: '#current.#versionId = :versionId',
    values: { ':served': toAttribute(served), ':versionId': { S: served.versionId } },
  });
}

export async function recordAccount(
  table: LedgerTable,
  directoryUrl: string,
  account: IssuerAccount,
  now: Date,
): Promise<void> {
  const recorded: RecordedAccount = { ...account, readAt: now.toISOString() };
  await updateItem(table, accountId(directoryUrl), {
    expression: 'SET #account = :account',
    values: { ':account': toAttribute(recorded) },
  });
}

export async function recordAccountKey(table: LedgerTable, directoryUrl: string, fingerprint: string): Promise<void> {
  await updateItem(table, accountId(directoryUrl), {
    expression: 'ADD #accountKeys :key',
    values: { ':key': { SS: [fingerprint] } },
  });
}

export async function markAccountStale(table: LedgerTable, directoryUrl: string): Promise<void> {
  await updateItem(table, accountId(directoryUrl), {
    expression: 'SET #account.#readAt = :never',
    // If the condition is not met, there is no account at this directory.
    condition: 'attribute_exists(#account)',
    values: { ':never': toAttribute(null) },
  });
}

export function recordSuccess(
  table: LedgerTable,
  certificate: string,
  execution: string,
  { renewalTime, announcedVersion }: RecordedSuccess,
): Promise<void> {
  const saved = Object.entries({ renewalTime: renewalTime?.toISOString(), announcedVersion }).flatMap(
    ([name, value]) => (value ? [[name, value] as const] : []),
  );
  const set = saved.map(([name]) => `#${name} = :${name}`).join(', ');
  return updateLeased(table, certificate, execution, {
    expression: `${set && `SET ${set} `}REMOVE #order, #failure, #failures, #issuerFailures, #failingSince, #notBefore`,
    ...(set && { values: Object.fromEntries(saved.map(([name, value]) => [`:${name}`, { S: value }])) }),
  });
}

export function recordAnnounced(
  table: LedgerTable,
  certificate: string,
  execution: string,
  versionId: string,
): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression: 'SET #announcedVersion = :versionId',
    values: { ':versionId': { S: versionId } },
  });
}

/** The counts are attributes beside the failure, so that one write can increment them and replace the failure. */
export function recordFailure(
  table: LedgerTable,
  certificate: string,
  execution: string,
  failure: Omit<RecordedFailure, 'count' | 'issuerFailures' | 'first'>,
  { notBefore, issuersFault }: { readonly notBefore: string | null; readonly issuersFault: boolean },
): Promise<void> {
  return updateLeased(table, certificate, execution, {
    expression:
      'SET #failure = :failure, #failures = if_not_exists(#failures, :zero) + :one' +
      ', #issuerFailures = if_not_exists(#issuerFailures, :zero) + :issuersFault' +
      ', #failingSince = if_not_exists(#failingSince, :last)' +
      (notBefore === null ? ' REMOVE #notBefore' : ', #notBefore = :notBefore'),
    // If the condition is not met, this write was repeated after a lost reply and is already counted.
    condition: '(attribute_not_exists(#failure) OR #failure.#last <> :last)',
    values: {
      ':failure': toAttribute(failure),
      ':last': { S: failure.last },
      ':zero': { N: '0' },
      ':one': { N: '1' },
      ':issuersFault': { N: issuersFault ? '1' : '0' },
      ...(notBefore !== null && { ':notBefore': { S: notBefore } }),
    },
  });
}
