import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';

/** The ledger record of a certificate without an item in the ledger. */
export const emptyRecord: LedgerCertificate = {
  lease: null,
  leasedAt: null,
  current: null,
  deliveries: {},
  order: null,
  leftovers: [],
  failure: null,
  notBefore: null,
  renewalInfo: null,
};

/** Times by order URL. */
type Issues = Readonly<Record<string, string>>;

const day = 86_400_000;
const hour = 3_600_000;

/** The entries of the last 24 h. */
export function issuesToday(issues: Issues, now: Date): Issues {
  return Object.fromEntries(Object.entries(issues).filter(([, at]) => now.getTime() - Date.parse(at) < day));
}

/**
 * The orders to remove so that exactly one more certificate of the set passes the cap of two. These are all but the latest. A second call
 * returns none.
 */
export function spentIssues(issues: Issues): readonly string[] {
  const latestFirst = Object.entries(issues).sort(([, a], [, b]) => Date.parse(b) - Date.parse(a));
  return latestFirst.slice(1).map(([orderUrl]) => orderUrl);
}

/** The times of the last hour, oldest first. Let's Encrypt allows 5 failed authorizations per identifier, account and hour. */
export function failuresThisHour(times: readonly string[], now: Date): readonly string[] {
  return times.filter((at) => now.getTime() - Date.parse(at) < hour).sort();
}
