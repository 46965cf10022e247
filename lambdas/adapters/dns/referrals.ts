import { randomInt } from 'node:crypto';
import type { Answer } from 'dns-packet';
import { type Address, type AddressBook, hostAndPort, writtenAddress } from './addresses.ts';
import { isPublic, type Reach } from './allowed-addresses.ts';
import { LookupError } from './lookup.ts';
import type { Question, Reply } from './query.ts';
import { above, nameServersOf, plain } from './records.ts';
import { type Cut, createZoneServers, referredTo } from './zone-servers.ts';

/** Deeper than any name that is in use. */
const mostReferrals = 16;

export interface Referrals {
  /** What a server says that is authoritative for the name. Throws `LookupError`. */
  ask(question: Question, signal: AbortSignal): Promise<Reply>;
  /**
   * Host names of the servers that the parent refers to for exactly this zone; where the parent's server is the zone's as well and
   * answers itself, those of its answer; none where the parent knows no such zone. Throws `LookupError`.
   */
  delegation(zone: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Addresses of this server that came with the referral to this zone, both plain names; none where it was not followed. */
  glueOf(zone: string, server: string): readonly Address[];
}

/**
 * Follows referrals from the root down. What was learned on the way is kept, and of questions that would go the same unknown way at once
 * one goes ahead: a hundred names of one zone cost one walk to it.
 */
export function createReferrals(rootServers: readonly string[], addressBook: AddressBook, reach: Reach): Referrals {
  const askServers = createZoneServers(addressBook);
  const cuts = new Map<string, Cut>([['', rootCut(rootServers)]]);
  const ahead = new Map<string, Promise<unknown>>();

  function closest(name: string): Cut {
    for (let at = name; ; at = above(at)) {
      const cut = cuts.get(at);
      if (cut) return cut;
    }
  }

  /** `null`: the reply is a referral, which is noted. */
  async function askOnce(cut: Cut, question: Question, signal: AbortSignal): Promise<Reply | null> {
    const reply = await askServers(cut, question, signal);
    const zone = referredTo(reply, cut.zone, question.name);
    if (zone === null) return reply;
    const nameServers = nameServersOf(reply.authorities, zone, reach);
    cuts.set(zone, { zone, nameServers, glue: glueIn(reply.additionals, reach) });
    return null;
  }

  /** `null` as soon as this zone's delegation is known. */
  async function follow(question: Question, signal: AbortSignal, upTo?: string): Promise<Reply | null> {
    for (let referrals = 0; referrals < mostReferrals; referrals++) {
      const cut = closest(question.name);
      if (cut.zone === upTo) return null;
      const way = `${nextLabel(question.name, cut.zone)} ${cut.zone}`;
      const before = ahead.get(way);
      if (before) {
        await before.catch(() => {});
        if (closest(question.name) !== cut) continue;
      }
      const asking = askOnce(cut, question, signal);
      if (!before) ahead.set(way, asking);
      const reply = await asking;
      if (reply) return reply;
    }
    throw new LookupError(
      `the question for ${question.type} ${question.name} was referred further ${mostReferrals} times`,
    );
  }

  return {
    async ask(question, signal) {
      const reply = await follow(question, signal);
      if (!reply) throw new TypeError(`No zone was named at which to stop on the way to ${question.name}`);
      return reply;
    },
    async delegation(zone, signal) {
      const reply = await follow({ name: zone, type: 'NS' }, signal, zone);
      return reply ? nameServersOf(reply.answers, zone, reach) : (cuts.get(zone)?.nameServers ?? []);
    },
    glueOf(zone, server) {
      const cut = cuts.get(zone);
      return cut?.nameServers.includes(server) ? (cut.glue.get(server) ?? []) : [];
    },
  };
}

/** Of `www.example.com` below `com`: `example`; of `com` itself nothing. */
function nextLabel(name: string, zone: string): string {
  const below = name.slice(0, name.length - zone.length).replace(/\.$/, '');
  return below.slice(below.lastIndexOf('.') + 1);
}

/** Whoever wrote the addresses down is trusted with them. */
function rootCut(rootServers: readonly string[]): Cut {
  const glue = rootServers.map((server) => [server, [writtenAddress(server) ?? []].flat()] as const);
  return { zone: '', nameServers: fromAnywhere(rootServers), glue: new Map(glue) };
}

/** IPv4 first: it goes everywhere. It stays with this referral: for hosts of others nobody is believed. */
function glueIn(additionals: readonly Answer[], reach: Reach): Cut['glue'] {
  const glue = new Map<string, readonly Address[]>();
  for (const type of ['A', 'AAAA'] as const) {
    for (const each of additionals) {
      if (each.type !== type || (reach === 'internet' && !isPublic(each.data))) continue;
      const host = plain(each.name);
      const address: Address = { host: each.data, family: type === 'A' ? 4 : 6, port: hostAndPort(host).port };
      glue.set(host, [...(glue.get(host) ?? []), address]);
    }
  }
  return glue;
}

/** Not everybody begins with the first. */
function fromAnywhere(servers: readonly string[]): readonly string[] {
  const start = randomInt(Math.max(servers.length, 1));
  return [...servers.slice(start), ...servers.slice(0, start)];
}
