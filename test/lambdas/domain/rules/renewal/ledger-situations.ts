import type {
  LedgerCertificate,
  SavedOrder,
  SavedRenewalInfo,
} from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { execution, issuer, specWith, storedVersion } from '../../../../fakes/specs.ts';

/** A TXT value that an earlier execution has left in DNS. */
export const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
/** A version that another execution has made current. */
export const newer = storedVersion('newer');

/** Four failures in a row that only an operator can fix. */
export const failure = {
  count: 4,
  issuerFailures: 0,
  last: '2026-01-31T12:00:00Z',
  error: 'CaaError',
  cause: 'CAA forbids it.',
};
/** An order that a new execution can resume. */
export const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-06-01T00:00:00Z',
  execution,
  specHash: specWith().specHash,
  directoryUrl: issuer.directoryUrl,
};

/** The window of a certificate `key.01`. In a short window the renewal time is close to the start. */
export function suggested(start: string, end: string, explanationUrl: string | null = null): SavedRenewalInfo {
  return { certificateId: 'key.01', start, end, explanationUrl, nextFetch: '2026-02-01T06:00:00Z' };
}

/** Returns a ledger item. Its certificate is announced. */
export const record = (fields: Partial<LedgerCertificate>): LedgerCertificate => ({
  ...emptyRecord,
  ...(fields.current && { announcedVersion: fields.current.versionId }),
  ...fields,
});
