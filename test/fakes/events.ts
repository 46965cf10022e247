import type {
  CertificateAccountRequestFailed,
  CertificateChangedOutside,
  CertificateCleanUpFailed,
  CertificateExpiring,
  CertificateNotServed,
  CertificateRenewalFailed,
  CertificateRenewalPostponed,
  CertificateRenewed,
  DetailOf,
} from '../../lambdas/domain/contract/events.ts';
import { execution, factsWith } from './specs.ts';

// One complete detail of each event that Perennial publishes.

export const renewed: CertificateRenewed = {
  certificate: 'www',
  execution,
  reason: 'never issued',
  current: factsWith(),
  deliveries: [
    {
      region: 'us-east-1',
      arn: 'arn:aws:acm:us-east-1:1:certificate/1',
      replaces: null,
      action: null,
      imported: true,
      tagged: false,
    },
  ],
};

export const failed: CertificateRenewalFailed = {
  certificate: 'www',
  execution,
  attempt: 1,
  reason: 'never issued',
  error: 'ChallengeFailedError',
  cause: 'example.com: no TXT record',
  problemType: 'urn:ietf:params:acme:error:unauthorized',
  identifier: 'example.com',
  action: null,
  nextAttempt: '2026-03-01T12:01:00Z',
};

export const notServed: CertificateNotServed = {
  certificate: 'www',
  execution,
  current: factsWith(),
  endpoints: [{ endpoint: 'www.example.com:443', status: 'other', serialNumber: '0A00', detail: 'an older one' }],
  action: 'Reload it.',
};

export const cleanUpFailed: CertificateCleanUpFailed = {
  certificate: 'www',
  execution,
  values: [
    { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left', reason: 'The role was not assumed.' },
  ],
  action: 'Remove it.',
};

export const changedOutside: CertificateChangedOutside = {
  certificate: 'www',
  execution,
  changes: [
    {
      kind: 'importDeleted',
      resource: 'arn:aws:acm:us-east-1:1:certificate/1',
      detail: 'The certificate was deleted from ACM.',
      action: 'Use the new ARN.',
    },
  ],
};

export const expiring: CertificateExpiring = {
  certificate: 'www',
  execution,
  resource: factsWith().secretArn,
  notAfter: factsWith().notAfter,
  lifetimeLeft: 19.9,
  error: 'CaaError',
  action: 'Fix it.',
};

export const renewalPostponed: CertificateRenewalPostponed = {
  certificate: 'www',
  execution,
  since: '2026-03-14T00:00:00.000Z',
  directoryUrl: factsWith().directoryUrl,
  notAfter: factsWith().notAfter,
  action: 'Wait.',
};

export const accountRequestFailed: CertificateAccountRequestFailed = {
  request: { action: 'register' },
  execution,
  error: 'ExternalAccountBindingError',
  cause: 'There is no usable account at test-ca. The CA refused the binding.',
  issuers: [{ issuer: 'test-ca', error: 'ExternalAccountBindingError' }],
};

/** The detail of each detail type. */
export const details: DetailOf = {
  'Certificate Renewed': renewed,
  'Certificate Renewal Failed': failed,
  'Certificate Not Served': notServed,
  'Certificate Clean-Up Failed': cleanUpFailed,
  'Certificate Changed Outside Perennial': changedOutside,
  'Certificate Expiring': expiring,
  'Certificate Renewal Postponed': renewalPostponed,
  'Certificate Account Request Failed': accountRequestFailed,
};
