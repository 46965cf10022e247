import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { CertificateFacts, Delivery, TxtValue } from '../rules/contract.ts';
import type { LedgerCertificate, RecordedFailure, SavedOrder } from '../rules/ports.ts';
import { fromAttribute } from './attribute-values.ts';

/**
 * Items of the table, by partition key `id`:
 *
 * - `certificate#<name>`: lease, leasedAt, sets (whose leases it took), current, deliveries (by region), order, leftovers,
 *   failure, failures (in a row), notBefore
 * - `set#<hash>`: lease, leasedAt, certificate (which of the twins)
 */
export const certificateId = (name: string): string => `certificate#${name}`;
export const setId = (hash: string): string => `set#${hash}`;

type Item = Readonly<Record<string, AttributeValue>>;

export function certificateOf(item: Item): LedgerCertificate {
  const failure = fromAttribute(item.failure) as Omit<RecordedFailure, 'count'> | null;
  return {
    lease: item.lease?.S ?? null,
    leasedAt: item.leasedAt?.S ?? null,
    current: fromAttribute(item.current) as CertificateFacts | null,
    deliveries: (fromAttribute(item.deliveries) ?? {}) as Record<string, Delivery>,
    order: fromAttribute(item.order) as SavedOrder | null,
    leftovers: (item.leftovers?.SS ?? []).map((value) => JSON.parse(value) as TxtValue),
    failure: failure && { ...failure, count: Number(item.failures?.N ?? 1) },
    notBefore: item.notBefore?.S ?? null,
  };
}

export const setsOf = (item: Item): readonly string[] => item.sets?.SS ?? [];

/** One string for one value, whoever made the object: a set adds and strikes by equal strings. DynamoDB knows no empty set. */
export function leftoverSet(values: readonly TxtValue[]): AttributeValue {
  const strings = values.map(({ hostedZoneId, name, value }) => JSON.stringify({ hostedZoneId, name, value }));
  return { SS: [...new Set(strings)] };
}
