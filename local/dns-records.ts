import type { Answer, StringAnswer, TxtAnswer } from 'dns-packet';
import type { StoredZone } from './ministack.ts';

export type StoredRecord = StoredZone['records'][number];

/** The reply of an authoritative server to one question (RFC 1034 §4.3.2). */
export interface DnsReply {
  status: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  authoritative: boolean;
  answers: Answer[];
  authorities: Answer[];
}

/** Delegations that replace the NS sets of zones in the replies of their parents, by absolute name. `null` means no delegation. */
export type Delegations = Map<string, readonly string[] | null>;

/** Maximum length of a chain of CNAMEs. RFC 1034 sets no limit, and resolvers stop after about this many. */
const LONGEST_ALIAS_CHAIN = 8;

/**
 * Answers a question from the hosted zones. CNAMEs are followed as long as they stay in these zones. A delegation is answered with a
 * referral, and a wildcard answers for names that do not exist. Names are compared in lower case.
 *
 * If a zone and its parent are both hosted here, this server is authoritative for both and answers from the closer zone. A question for
 * the NS set of a zone inside another one is answered from `delegations`, if it has the zone.
 */
export function answer(zones: StoredZone[], name: string, type: string, delegations?: Delegations): DnsReply {
  const answers: Answer[] = [];
  let wanted = absolute(name);
  const hasParent = zones.some((zone) => zone.name !== wanted && isWithin(wanted, zone.name));
  const delegated = type === 'NS' && hasParent ? delegations?.get(wanted) : undefined;
  if (delegated !== undefined) return referralTo(wanted, delegated);
  for (let step = 0; step < LONGEST_ALIAS_CHAIN; step++) {
    const zone = closestZone(zones, wanted);
    // The CNAME leads out of these zones. The answer ends here, and the resolver continues at another server.
    if (!zone) return { status: step === 0 ? 'REFUSED' : 'NOERROR', authoritative: step > 0, answers, authorities: [] };
    const referral = delegation(zone, wanted);
    if (referral) return { status: 'NOERROR', authoritative: step > 0, answers, authorities: toAnswer(referral) };

    const found = recordsAt(zone, wanted);
    const soa = zone.records.filter((record) => record.type === 'SOA' && record.name === zone.name).flatMap(toAnswer);
    if (!found) return { status: 'NXDOMAIN', authoritative: true, answers, authorities: soa };
    const matching = found.filter((record) => record.type === type || type === 'ANY');
    if (matching.length > 0) {
      return {
        status: 'NOERROR',
        authoritative: true,
        answers: [...answers, ...matching.flatMap(toAnswer)],
        authorities: [],
      };
    }
    const alias = found.find((record) => record.type === 'CNAME');
    if (!alias) return { status: 'NOERROR', authoritative: true, answers, authorities: soa };
    answers.push(...toAnswer(alias));
    wanted = absolute(alias.values[0] ?? '');
  }
  return { status: 'NOERROR', authoritative: true, answers, authorities: [] };
}

/**
 * Answers a question as the root and the domains above the zones do. The answer is a referral to the topmost zone that contains the
 * name, because a parent refers to the next zone below it. If `delegations` has a closer zone, the referral is to that zone. Other names
 * do not exist there.
 */
export function fromRoot(zones: StoredZone[], delegations: Delegations, name: string): DnsReply {
  const wanted = absolute(name);
  const [delegated] = [...delegations.keys()]
    .filter((zone) => isWithin(wanted, zone))
    .sort((a, b) => b.length - a.length);
  if (delegated !== undefined) return referralTo(delegated, delegations.get(delegated) ?? null);
  const zone = zones.filter((each) => isWithin(wanted, each.name)).sort((a, b) => a.name.length - b.name.length)[0];
  const servers = zone?.records.find((record) => record.type === 'NS' && record.name === zone.name)?.values;
  if (zone) return referralTo(zone.name, servers ?? null);
  const status = zones.some((each) => isWithin(each.name, wanted)) ? 'NOERROR' : 'NXDOMAIN';
  return { status, authoritative: true, answers: [], authorities: [rootStartOfAuthority] };
}

const rootStartOfAuthority: Answer = {
  name: '.',
  type: 'SOA',
  data: { mname: '.', rname: '.', serial: 1, refresh: 1800, retry: 900, expire: 604_800, minimum: 60 },
};

/** Returns a referral to these servers, or NXDOMAIN for `null`. */
function referralTo(zone: string, servers: readonly string[] | null): DnsReply {
  if (servers === null) {
    return { status: 'NXDOMAIN', authoritative: true, answers: [], authorities: [rootStartOfAuthority] };
  }
  const authorities = toAnswer({ name: zone, type: 'NS', ttl: 60, values: [...servers] });
  return { status: 'NOERROR', authoritative: false, answers: [], authorities };
}

export const absolute = (name: string) => `${name.toLowerCase().replace(/\.$/, '')}.`;

function closestZone(zones: StoredZone[], name: string): StoredZone | undefined {
  return zones.filter((zone) => isWithin(name, zone.name)).sort((a, b) => b.name.length - a.name.length)[0];
}

const isWithin = (name: string, domain: string) => `.${name}`.endsWith(`.${domain}`);

/** Returns the NS set between the zone's apex and the name, if the zone delegates that part to other servers. */
function delegation(zone: StoredZone, name: string): StoredRecord | undefined {
  return zone.records.find(
    (record) => record.type === 'NS' && record.name !== zone.name && `.${name}`.endsWith(`.${record.name}`),
  );
}

/** Returns the record sets of a name. The list is empty if there are only names below it. `undefined` if the name does not exist. */
function recordsAt(zone: StoredZone, name: string): StoredRecord[] | undefined {
  const own = zone.records.filter((record) => record.name === name);
  if (own.length > 0) return own;
  if (exists(zone, name)) return [];
  // The wildcard that applies is below the closest name that exists (RFC 4592).
  for (let parent = above(name); ; parent = above(parent)) {
    const wildcard = zone.records.filter((record) => record.name === `*.${parent}`);
    if (wildcard.length > 0) return wildcard.map((record) => ({ ...record, name }));
    if (parent === zone.name || exists(zone, parent)) return undefined;
  }
}

const above = (name: string) => name.slice(name.indexOf('.') + 1);

function exists(zone: StoredZone, name: string): boolean {
  return zone.records.some((record) => record.name === name || record.name.endsWith(`.${name}`));
}

/** Converts a record set of Route 53 into DNS answers. Types that this project does not use are left out. */
function toAnswer(record: StoredRecord): Answer[] {
  const base = { name: record.name.replace(/\.$/, ''), ttl: record.ttl, class: 'IN' as const };
  return record.values.flatMap((value): Answer[] => {
    const words = value.split(/\s+/);
    const number = (index: number) => Number(words[index]);
    const host = (index: number) => (words[index] ?? '').replace(/\.$/, '');
    switch (record.type) {
      case 'A':
      case 'AAAA':
        return [{ ...base, type: record.type, data: value } as StringAnswer];
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return [{ ...base, type: record.type, data: host(0) } as StringAnswer];
      case 'TXT':
        return [{ ...base, type: 'TXT', data: characterStrings(value) } as TxtAnswer];
      case 'CAA': {
        const tag = words[1] as 'issue' | 'issuewild' | 'iodef';
        const text = Buffer.concat(characterStrings(value.slice(value.indexOf('"')))).toString('latin1');
        return [{ ...base, type: 'CAA', data: { flags: number(0), tag, value: text } }];
      }
      case 'MX':
        return [{ ...base, type: 'MX', data: { preference: number(0), exchange: host(1) } }];
      case 'SRV':
        return [
          { ...base, type: 'SRV', data: { priority: number(0), weight: number(1), port: number(2), target: host(3) } },
        ];
      case 'SOA': {
        const [serial, refresh, retry, expire, minimum] = words.slice(2).map(Number);
        return [
          { ...base, type: 'SOA', data: { mname: host(0), rname: host(1), serial, refresh, retry, expire, minimum } },
        ];
      }
      default:
        return [];
    }
  });
}

/** Returns the character strings of a value. Route 53 writes them in quotes, with the escapes `\"`, `\\` and octal `\ooo`. */
function characterStrings(value: string): Buffer[] {
  return [...value.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text = '']) =>
    Buffer.from(
      text.replace(/\\([0-7]{3}|.)/gs, (_, escaped: string) =>
        escaped.length === 3 ? String.fromCharCode(Number.parseInt(escaped, 8)) : escaped,
      ),
      'latin1',
    ),
  );
}
