import type { Answer, StringAnswer, TxtAnswer } from 'dns-packet';
import type { StoredZone } from './ministack.ts';

export type StoredRecord = StoredZone['records'][number];

/** What an authoritative server says to one question (RFC 1034 §4.3.2). */
export interface DnsReply {
  status: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  authoritative: boolean;
  answers: Answer[];
  authorities: Answer[];
}

/** What parents say about zones in place of the zones' own NS sets: other servers, or `null`, none. By absolute name. */
export type Delegations = Map<string, readonly string[] | null>;

/** RFC 1034 sets no limit on a chain of aliases; resolvers stop at about this many. */
const LONGEST_ALIAS_CHAIN = 8;

/**
 * Answers a question from the zones: CNAMEs are followed as far as they stay in them, a delegation is a referral, a
 * wildcard stands in for names that do not exist. Names are compared in lower case.
 *
 * A zone and its parent may both be among the zones: then this is the server of both, and answers for the closer one itself. Who asks for
 * the NS set of a zone inside another hears what was said of its delegation.
 */
export function answer(zones: StoredZone[], name: string, type: string, delegations?: Delegations): DnsReply {
  const answers: Answer[] = [];
  let wanted = absolute(name);
  const hasParent = zones.some((zone) => zone.name !== wanted && isWithin(wanted, zone.name));
  const delegated = type === 'NS' && hasParent ? delegations?.get(wanted) : undefined;
  if (delegated !== undefined) return referralTo(wanted, delegated);
  for (let step = 0; step < LONGEST_ALIAS_CHAIN; step++) {
    const zone = closestZone(zones, wanted);
    // A CNAME that leaves our zones: what we know is the answer, the asker goes on elsewhere.
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
 * What root and every domain above the zones say: a referral to the topmost zone that the name lies in, as parents refer to the cut next
 * to them; to a closer one where there is a delegation of its own. They know no other names.
 */
export function fromRoot(zones: StoredZone[], delegations: Delegations, name: string): DnsReply {
  const wanted = absolute(name);
  const [told] = [...delegations.keys()].filter((zone) => isWithin(wanted, zone)).sort((a, b) => b.length - a.length);
  if (told !== undefined) return referralTo(told, delegations.get(told) ?? null);
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

/** `null`: the parent knows no such name. */
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

/** The NS set between the zone's apex and the name, if the zone hands that part to somebody else. */
function delegation(zone: StoredZone, name: string): StoredRecord | undefined {
  return zone.records.find(
    (record) => record.type === 'NS' && record.name !== zone.name && `.${name}`.endsWith(`.${record.name}`),
  );
}

/** The record sets of a name; none when it only has names below it, undefined when it does not exist. */
function recordsAt(zone: StoredZone, name: string): StoredRecord[] | undefined {
  const own = zone.records.filter((record) => record.name === name);
  if (own.length > 0) return own;
  if (exists(zone, name)) return [];
  // RFC 4592: the wildcard below the closest name that exists.
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

/** A record set of Route 53 as DNS answers; types that no part of this project asks for are left out. */
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

/** The texts of a value in Route 53's form: quoted, with `\"`, `\\` and octal `\ooo`. */
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
