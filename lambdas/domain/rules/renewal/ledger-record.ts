import type { LedgerCertificate } from '../../ports/ledger.ts';

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
  renewalInfo: null,
};

/** Times by order URL. */
type Issues = Readonly<Record<string, string>>;

const day = 86_400_000;
const hour = 3_600_000;

/** Those of the last 24 h. */
export function issuesToday(issues: Issues, now: Date): Issues {
  return Object.fromEntries(Object.entries(issues).filter(([, at]) => now.getTime() - Date.parse(at) < day));
}

/**
 * The orders to forget so that one more certificate of the set passes the cap of two, and only one: all but the latest. Asked a second
 * time, there is none.
 */
export function spentIssues(issues: Issues): readonly string[] {
  const latestFirst = Object.entries(issues).sort(([, a], [, b]) => Date.parse(b) - Date.parse(a));
  return latestFirst.slice(1).map(([orderUrl]) => orderUrl);
}

/** Let's Encrypt counts failed authorizations by the hour (5 for an identifier and account). Oldest first. */
export function failuresThisHour(times: readonly string[], now: Date): readonly string[] {
  return times.filter((at) => now.getTime() - Date.parse(at) < hour).sort();
}
