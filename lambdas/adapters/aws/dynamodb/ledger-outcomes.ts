import type { RecordedSuccess } from '../../../domain/ports/ledger.ts';
import type { RecordedFailure } from '../../../domain/ports/ledger-certificate.ts';
import { toAttribute } from './attribute-values.ts';
import { updateLeased } from './ledger-leases.ts';
import type { LedgerTable } from './ledger-table.ts';

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
