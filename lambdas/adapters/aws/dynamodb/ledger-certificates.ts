import type { CertificateFacts, Delivery } from '../../../domain/contract/certificate-facts.ts';
import type { Comparison } from '../../../domain/ports/ledger.ts';
import type { EndpointCheck, SavedRenewalInfo } from '../../../domain/ports/ledger-certificate.ts';
import { toAttribute } from './attribute-values.ts';
import { certificateId } from './ledger-item.ts';
import { updateLeased } from './ledger-leases.ts';
import { type LedgerTable, updateItem } from './ledger-table.ts';

// Writes about a certificate that was issued. A write with an execution requires the lease. The other writes have a condition of their own.

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
): Promise<boolean> {
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
  const refused = await updateItem(table, certificateId(certificate), {
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
  return refused === null;
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
