import { randomInt } from 'node:crypto';
import type { Answer } from 'dns-packet';
import { isPublic } from '../../domain/rules/public-addresses.ts';
import { type Address, type AddressBook, hostAndPort, writtenAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import type { Question, Reply } from './query.ts';
import { above, nameServersOf, plain } from './records.ts';
import type { Reach } from './root-servers.ts';
import { type Cut, createZoneServers, referredTo } from './zone-servers.ts';

/** Longest chain of referrals that is followed. No name in use needs as many. */
const mostReferrals = 16;

interface Referrals {
  /** The reply of a server that is authoritative for the name. Throws `LookupError`. */
  ask(question: Question, signal: AbortSignal): Promise<Reply>;
  /**
   * Host names of the servers to which the parent delegates exactly this zone. If a server of the parent also serves the zone and answers
   * itself, the names in its answer. Empty if the parent does not delegate the zone. Throws `LookupError`.
   */
  delegation(zone: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Addresses of this server in the referral to this zone. Both are plain names. Empty if no referral was followed. */
  glueOf(zone: string, server: string): readonly Address[];
}

/**
 * Follows referrals from the root. Each referral is kept. When several questions need the same unknown referral at the same time, one of them
 * is sent and the others wait, so that a hundred names of one zone need one chain of referrals.
 */
export function createReferrals(rootServers: readonly string[], addressBook: AddressBook, reach: Reach): Referrals {
  const askServers = createZoneServers(addressBook);
  const cuts = new Map<string, Cut>([['', rootCut(rootServers)]]);
  const pending = new Map<string, Promise<unknown>>();

  function closest(name: string): Cut {
    for (let at = name; ; at = above(at)) {
      const cut = cuts.get(at);
      if (cut) return cut;
    }
  }

  /** Returns `null` if the reply is a referral, after keeping it. */
  async function askOnce(cut: Cut, question: Question, signal: AbortSignal): Promise<Reply | null> {
    const reply = await askServers(cut, question, signal);
    const zone = referredTo(reply, cut.zone, question.name);
    if (zone === null) return reply;
    const nameServers = nameServersOf(reply.authorities, zone, reach);
    cuts.set(zone, { zone, nameServers, glue: glueIn(reply.additionals, reach) });
    return null;
  }

  /** Returns `null` as soon as the delegation of the zone `upTo` is known. */
  async function follow(question: Question, signal: AbortSignal, upTo?: string): Promise<Reply | null> {
    for (let referrals = 0; referrals < mostReferrals; referrals++) {
      const cut = closest(question.name);
      if (cut.zone === upTo) return null;
      const step = `${nextLabel(question.name, cut.zone)} ${cut.zone}`;
      const before = pending.get(step);
      if (before) {
        await before.catch(() => {});
        if (closest(question.name) !== cut) continue;
      }
      const asking = askOnce(cut, question, signal);
      if (!before) pending.set(step, asking);
      const reply = await asking;
      if (reply) return reply;
    }
    throw new LookupError(
      `the query for ${question.type} ${question.name} was referred more than ${mostReferrals} times`,
    );
  }

  return {
    async ask(question, signal) {
      const reply = await follow(question, signal);
      if (!reply)
        throw new TypeError(
          `The query for ${question.name} ended without a reply, although no zone to stop at was given.`,
        );
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

/** The label of a name directly below a zone: `example` for `www.example.com` and the zone `com`. Empty for the zone itself. */
function nextLabel(name: string, zone: string): string {
  const below = name.slice(0, name.length - zone.length).replace(/\.$/, '');
  return below.slice(below.lastIndexOf('.') + 1);
}

/** The root zone. Its addresses come from the configuration and are trusted. */
function rootCut(rootServers: readonly string[]): Cut {
  const glue = rootServers.map((server) => [server, [writtenAddress(server) ?? []].flat()] as const);
  return { zone: '', nameServers: rotated(rootServers), glue: new Map(glue) };
}

/** The glue of a referral, IPv4 first because every network has it. It is used for this referral only, since other zones do not vouch for it. */
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

/** The servers in order, beginning at a random one, so that not every query goes to the first. */
function rotated(servers: readonly string[]): readonly string[] {
  const start = randomInt(Math.max(servers.length, 1));
  return [...servers.slice(start), ...servers.slice(0, start)];
}
