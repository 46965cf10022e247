import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { TxtRecordSet } from '../../../domain/ports/hosted-zones.ts';

/** Returns the TXT set among all sets at one name, or the set that prevents one. Returns `null` if there is neither. */
export function txtRecordSetOf(sets: readonly ResourceRecordSet[]): TxtRecordSet | null {
  const apex = sets.some(({ Type }) => Type === 'SOA');
  const delegation = apex ? undefined : sets.find(({ Type }) => Type === 'NS');
  // This comes before the delegation, because a TXT set beside a delegation exists although no resolver sees it.
  const set = sets.find(({ Type }) => Type === 'CNAME' || Type === 'TXT') ?? delegation;
  if (!set) return null;
  return {
    name: set.Name ?? '',
    ttl: set.TTL ?? 0,
    values: set.ResourceRecords?.map(({ Value }) => Value ?? '') ?? [],
    unsuitable: unsuitable(set) ?? (delegation ? unsuitable(delegation) : null),
  };
}

function unsuitable({ Type, AliasTarget, SetIdentifier, TrafficPolicyInstanceId, ResourceRecords }: ResourceRecordSet) {
  if (Type === 'CNAME') return `a CNAME to ${ResourceRecords?.[0]?.Value ?? AliasTarget?.DNSName} is at that name`;
  if (Type === 'NS') return 'the name is delegated to other name servers';
  if (TrafficPolicyInstanceId) return 'a traffic policy makes the TXT set there';
  if (SetIdentifier) return `the TXT set there has a routing policy (set identifier ${SetIdentifier})`;
  if (AliasTarget) return `the TXT set there is an alias of ${AliasTarget.DNSName}`;
  return null;
}

export function changeOf(Action: 'DELETE' | 'CREATE', { name, ttl, values }: TxtRecordSet): Change {
  const ResourceRecords = values.map((Value) => ({ Value }));
  return { Action, ResourceRecordSet: { Name: name, Type: 'TXT', TTL: ttl, ResourceRecords } };
}

/** Tells whether two names are equal in DNS. Trailing dot, case and octal escapes such as `\052` do not matter. */
export function isSameName(one: string | undefined, other: string | undefined): boolean {
  return plainName(one) === plainName(other);
}

function plainName(name = ''): string {
  return name
    .replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\.$/, '')
    .toLowerCase();
}
