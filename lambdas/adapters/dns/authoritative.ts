import type { AuthoritativeDns, CaaRecord, Lookup } from '../../domain/ports/dns.ts';
import { concurrencyLimit } from '../../domain/rules/concurrency-limit.ts';
import { type Address, createAddressBook, type HostResolver, showAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import { type Question, type Reply, UnaskableNameError } from './query.ts';
import { above, aliasOf, caaRecords, mostAliases, plain } from './records.ts';
import { createReferrals } from './referrals.ts';
import type { Reach } from './root-servers.ts';
import { reachFrom } from './root-servers.ts';

/** Lookups that run at the same time. */
const concurrency = 10;
/** Time limit of one lookup, in ms. */
const lookupTimeout = 10_000;
/** Time limit of all lookups of one instance, in ms. The challenge function has 60 s and needs the rest for its calls to AWS. */
const allTimeout = 45_000;

interface AuthoritativeDnsSettings {
  /** `192.0.2.1`, `192.0.2.1:5301` or `[2001:db8::1]:5301` */
  readonly rootServers: readonly string[];
  readonly reach?: Reach;
  /** @default the system's resolver */
  readonly createResolver?: () => HostResolver;
}

/**
 * Queries authoritative servers, which it finds by following referrals from these root servers. Use one instance for one step. It keeps each
 * reply, so that names of one zone share the referrals and the CAA sets above them. `allTimeout` begins with the first lookup.
 */
export function createAuthoritativeDns({
  rootServers,
  reach = reachFrom(rootServers),
  createResolver,
}: AuthoritativeDnsSettings): AuthoritativeDns {
  const addressBook = createAddressBook(reach, createResolver);
  const referrals = createReferrals(rootServers, addressBook, reach);
  const replies = new Map<string, Promise<Reply>>();
  const limited = concurrencyLimit(concurrency);
  let end: AbortSignal | undefined;

  function lookup<T>(find: (signal: AbortSignal) => Promise<T>): Promise<Lookup<T>> {
    end ??= AbortSignal.timeout(allTimeout);
    const whole = end;
    return limited(async () => {
      if (whole.aborted) return { failed: `the ${allTimeout / 1000} s for all lookups are over` };
      try {
        return { found: await find(AbortSignal.any([whole, AbortSignal.timeout(lookupTimeout)])) };
      } catch (error) {
        if (error instanceof LookupError || error instanceof UnaskableNameError) return { failed: error.message };
        throw error;
      }
    });
  }

  function ask(name: string, type: Question['type'], signal: AbortSignal): Promise<Reply> {
    const key = `${type} ${name}`;
    const reply = replies.get(key) ?? referrals.ask({ name, type }, signal);
    replies.set(key, reply);
    return reply;
  }

  /** The CAA set of exactly this domain, after its CNAMEs, with the name that has the records. `null` if the domain has no CAA records. */
  async function caaSet(domain: string, signal: AbortSignal): Promise<CaaSet | null> {
    let owner = domain;
    for (let links = 0; links <= mostAliases; links++) {
      const { answers } = await ask(owner, 'CAA', signal);
      const records = caaRecords(answers, owner);
      if (records.length > 0) return { domain: owner, records };
      const target = aliasOf(answers, owner);
      if (target === undefined) return null;
      owner = target;
    }
    throw new LookupError(`the CNAME at ${domain} is a loop or has more than ${mostAliases} links`);
  }

  /**
   * Addresses of a server of this zone. Glue comes first, because resolvers use it, and for a server whose name is inside its own zone it may
   * be the only source. Where the glue has IPv6 addresses only, the IPv4 addresses of the address book are added.
   */
  async function addressesIn(zone: string, server: string, signal: AbortSignal): Promise<readonly Address[]> {
    const glue = referrals.glueOf(zone, server);
    return glue.some(isIpv4) ? glue : [...glue, ...(await addressBook(server, signal))];
  }

  return {
    delegation: (zone) => lookup((signal) => referrals.delegation(plain(zone), signal)),
    cname: (name) =>
      lookup(async (signal) => {
        const { answers } = await ask(plain(name), 'CNAME', signal);
        return aliasOf(answers, plain(name)) ?? null;
      }),
    caa: (name) =>
      lookup(async (signal) => {
        for (let domain = plain(name); domain !== ''; domain = above(domain)) {
          const found = await caaSet(domain, signal);
          if (found) return found;
        }
        return null;
      }),
    sameServers: (zone, some, others) =>
      lookup(async (signal) => {
        const [ours, theirs] = [some.map(plain), others.map(plain)];
        if (ours.some((server) => theirs.includes(server))) return true;
        const [first, second] = await Promise.all([
          Promise.allSettled(ours.map((server) => addressesIn(plain(zone), server, signal))),
          Promise.allSettled(theirs.map((server) => addressBook(server, signal))),
        ]);
        const known = new Set(first.flatMap(shown));
        if (second.flatMap(shown).some((address) => known.has(address))) return true;
        // The shared address may be one that could not be looked up, or an IPv6 address beside IPv4 ones.
        for (const each of [...first, ...second]) {
          if (each.status === 'rejected') throw each.reason;
          if (each.value.length > 0 && !each.value.some(isIpv4))
            throw new LookupError('some servers have IPv6 addresses only');
        }
        return false;
      }),
  };
}

const isIpv4 = ({ family }: Address): boolean => family === 4;

const shown = (result: PromiseSettledResult<readonly Address[]>): readonly string[] =>
  result.status === 'fulfilled' ? result.value.map(showAddress) : [];

type CaaSet = { readonly domain: string; readonly records: readonly CaaRecord[] };
