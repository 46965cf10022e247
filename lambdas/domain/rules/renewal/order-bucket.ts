import { createHash } from 'node:crypto';
import type { CertificateSpec, OrderLimit } from '../../contract/config.ts';
import type { OrderBucket } from '../../ports/ledger.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { renewalInfoOf, replacedCertificate } from './renewal-info.ts';

/** Seconds in which an order of the same execution does not count again. The attempts of an execution end 1 + 10 + 100 minutes after the first. */
const remembered = 3 * 3600;

/** Returns how many orders may start now. A directory without a bucket in the ledger has a full one. */
export function availableOrders(bucket: OrderBucket | null, limit: OrderLimit, now: Date): number {
  return Math.floor(tokensIn(bucket, limit, now));
}

/**
 * Returns the bucket after an order of this execution. Returns `null` if nothing changes, because the execution was counted before or because the
 * bucket is empty. A CA with the same limit refuses an order beyond an empty bucket and does not count it.
 */
export function debitedBucket(
  bucket: OrderBucket | null,
  execution: string,
  limit: OrderLimit,
  now: Date,
): OrderBucket | null {
  const since = secondsOf(now) - remembered;
  const debits = Object.entries(bucket?.debits ?? {}).filter(([, at]) => at > since);
  const key = debitKey(execution);
  const tokens = tokensIn(bucket, limit, now);
  if (tokens < 1 || debits.some(([known]) => known === key)) return null;
  return {
    tokens: tokens - 1,
    // The clocks of two functions may differ. A time is never refilled twice.
    at: new Date(Math.max(now.getTime(), bucket ? Date.parse(bucket.at) : 0)).toISOString(),
    debits: { ...Object.fromEntries(debits), [key]: secondsOf(now) },
  };
}

/**
 * Tells whether the CA counts an order for this certificate against its limit. Let's Encrypt does not count a renewal that replaces a certificate
 * while the window of ARI lasts. After the window it does not count an order for exactly the same names, which includes the replacement of a
 * revoked certificate. https://letsencrypt.org/docs/rate-limits/#limit-exemptions-for-renewals
 */
export function isCountedOrder(
  spec: CertificateSpec,
  record: Pick<LedgerCertificate, 'current' | 'renewalInfo'>,
  now: Date,
): boolean {
  const { current } = record;
  const { start, end } = renewalInfoOf(record) ?? {};
  if (!current || replacedCertificate(spec, current) === null || !start || !end) return true;
  if (now.getTime() < Date.parse(start)) return true;
  return now.getTime() >= Date.parse(end) && current.identifiers.join() !== spec.identifiers.join();
}

function tokensIn(bucket: OrderBucket | null, { burst, everySeconds }: OrderLimit, now: Date): number {
  if (bucket === null) return burst;
  const elapsed = Math.max(0, now.getTime() - Date.parse(bucket.at)) / 1000;
  return Math.min(burst, bucket.tokens + elapsed / everySeconds);
}

/** A short name for an execution. The ledger keeps all orders of three hours in one item, and an ARN would be 150 characters of it. */
const debitKey = (execution: string): string => createHash('sha256').update(execution).digest('base64url').slice(0, 11);

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1000);
