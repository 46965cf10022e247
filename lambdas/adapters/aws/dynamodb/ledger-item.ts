import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { CertificateFacts, Delivery, TxtValue } from '../../../domain/contract/certificate-facts.ts';
import type { BusyReply, OrderBucket } from '../../../domain/ports/ledger.ts';
import type {
  EndpointCheck,
  LedgerCertificate,
  OutsideChanges,
  RecordedFailure,
  SavedOrder,
  SavedRenewalInfo,
} from '../../../domain/ports/ledger-certificate.ts';
import { fromAttribute } from './attribute-values.ts';

/**
 * Items of the table, by partition key `id`:
 *
 * - `certificate#<name>`: lease, leasedAt, firstLeasedAt, sets (whose leases it took), ordering (the execution that took one), current, deliveries
 *   (by region), order, leftovers, leftoversReportedAt, failure, failures (in a row), issuerFailures (of the issuer), failingSince (the first
 *   failure), notBefore, renewalInfo, renewalTime, announcedVersion, revokedVersion, pausedUntil, postponedSince, postponedReportedAt,
 *   expiringReportedAt, served, outside (what the comparison found), access, tagKeys
 * - `set#<hash>`: lease, leasedAt, certificate (the holder), and `issued <order URL>` with the time for each order that was
 *   finalized. These attributes stay. Each renewal adds a few dozen bytes of the 400 KB that an item may have.
 * - `account#<directory URL>`: account (its URL, the CAA identities of the CA, and the time at which they were read),
 *   accountKeys (fingerprints, a set)
 * - `orders#<directory URL>`: tokens, at, debits (seconds since 1970 by execution), updates (a count that each debit
 *   changes), busy (the last reply that asked to wait)
 * - `fleet`: lease and leasedAt of the fleet run, requestedAt (another run asked for one more selection), cursor (the item after which the
 *   renewal information is refreshed), comparedUntil (turns of the comparison that were taken), lastSelection (time of the last selection)
 * - `notified#<kind>#<certificate>`: error, cause, at, action, detail, solvedAt (a problem of which operators were notified), or expires (seconds since
 *   1970) after it was solved. `notified#turn`: invocation, until (the invocation of the function `notification` that is at work)
 * - `failures#<directory URL>#<identifier>`: failures (times, a set), expires (seconds since 1970, the table's time to live)
 */
export const certificateId = (name: string): string => `certificate#${name}`;
/** Returns the name of the certificate to which an item belongs, or `null`. */
export const certificateIn = (id: string): string | null =>
  id.startsWith(certificateId('')) ? id.slice(certificateId('').length) : null;
export const setId = (hash: string): string => `set#${hash}`;
export const accountId = (directoryUrl: string): string => `account#${directoryUrl}`;
export const ordersId = (directoryUrl: string): string => `orders#${directoryUrl}`;
export const fleetId = 'fleet';
export const notifiedPrefix = 'notified#';
export const notifiedId = (kind: string, certificate: string): string => `${notifiedPrefix}${kind}#${certificate}`;
export const identifierFailuresId = (directoryUrl: string, identifier: string): string =>
  `failures#${directoryUrl}#${identifier}`;

type Item = Readonly<Record<string, AttributeValue>>;

export function certificateOf(item: Item): LedgerCertificate {
  const failure = fromAttribute(item.failure) as Omit<RecordedFailure, 'count' | 'issuerFailures' | 'first'> | null;
  return {
    lease: item.lease?.S ?? null,
    leasedAt: item.leasedAt?.S ?? null,
    ...(item.firstLeasedAt?.S && { firstLeasedAt: item.firstLeasedAt.S }),
    current: fromAttribute(item.current) as CertificateFacts | null,
    deliveries: (fromAttribute(item.deliveries) ?? {}) as Record<string, Delivery>,
    order: fromAttribute(item.order) as SavedOrder | null,
    leftovers: (item.leftovers?.SS ?? []).map((value) => JSON.parse(value) as TxtValue),
    ...(item.leftoversReportedAt?.S && { leftoversReportedAt: item.leftoversReportedAt.S }),
    failure: failure && {
      ...failure,
      count: Number(item.failures?.N ?? 0),
      issuerFailures: Number(item.issuerFailures?.N ?? 0),
      ...(item.failingSince?.S && item.failingSince.S !== failure.last && { first: item.failingSince.S }),
    },
    notBefore: item.notBefore?.S ?? null,
    renewalInfo: fromAttribute(item.renewalInfo) as SavedRenewalInfo | null,
    ...(item.renewalTime?.S && { renewalTime: item.renewalTime.S }),
    ...(item.announcedVersion?.S && { announcedVersion: item.announcedVersion.S }),
    ...(item.revokedVersion?.S && { revokedVersion: item.revokedVersion.S }),
    ...(item.outside && { outside: fromAttribute(item.outside) as OutsideChanges }),
    ...(item.pausedUntil?.S && { pausedUntil: item.pausedUntil.S }),
    ...(item.postponedSince?.S && { postponedSince: item.postponedSince.S }),
    ...(item.postponedReportedAt?.S && { postponedReportedAt: item.postponedReportedAt.S }),
    ...(item.expiringReportedAt?.S && { expiringReportedAt: item.expiringReportedAt.S }),
    ...(item.served && { served: fromAttribute(item.served) as EndpointCheck }),
    ...(item.access?.S !== undefined && { access: item.access.S }),
    ...(item.tagKeys && { tagKeys: fromAttribute(item.tagKeys) as string[] }),
  };
}

export const setsOf = (item: Item): readonly string[] => item.sets?.SS ?? [];

/**
 * Encodes a TXT value as a string that is equal for equal values, because a string set adds and removes equal strings. DynamoDB has no empty set.
 * The role of the zone is not stored. The role that is configured when the value is removed applies (`withRoles`).
 */
export function leftoverSet(values: readonly TxtValue[]): AttributeValue {
  const strings = values.map(({ hostedZoneId, name, value }) => JSON.stringify({ hostedZoneId, name, value }));
  return { SS: [...new Set(strings)] };
}

/** The attribute of one order. It is not a member of a map, so that one update writes it whether or not the item exists. */
const issuePrefix = 'issued ';
export const issueAttribute = (orderUrl: string): string => `${issuePrefix}${orderUrl}`;

/** Reads the times of issues, by order URL. */
export function issuesOf(item: Item): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) =>
      name.startsWith(issuePrefix) && value.S ? [[name.slice(issuePrefix.length), value.S]] : [],
    ),
  );
}

export function orderBucketOf(item: Item): OrderBucket | null {
  if (!item.at?.S) return null;
  const debits = fromAttribute(item.debits) as OrderBucket['debits'];
  return { tokens: Number(item.tokens?.N ?? 0), at: item.at.S, debits };
}

export const busyReplyOf = (item: Item): BusyReply | null => fromAttribute(item.busy) as BusyReply | null;

export const identifierFailuresOf = (item: Item | undefined): readonly string[] => item?.failures?.SS ?? [];
