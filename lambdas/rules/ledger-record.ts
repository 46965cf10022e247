import type { LedgerCertificate } from './ports.ts';

/** What the ledger says of a certificate that it has never seen. */
export const emptyRecord: LedgerCertificate = {
  lease: null,
  leasedAt: null,
  current: null,
  deliveries: {},
  order: null,
  leftovers: [],
  failure: null,
  notBefore: null,
};
