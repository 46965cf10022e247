import type { AuthoritativeDns, CaaRecord, Lookup } from '../../domain/ports/dns.ts';
import { concurrencyLimit } from '../../domain/rules/concurrency-limit.ts';
import { type Address, createAddressBook, type HostResolver, showAddress } from './addresses.ts';
import type { Reach } from './allowed-addresses.ts';
import { LookupError } from './lookup.ts';
import { type Question, type Reply, UnaskableNameError } from './query.ts';
import { above, aliasOf, caaRecords, plain } from './records.ts';
import { createReferrals } from './referrals.ts';
import { reachFrom } from './root-servers.ts';

/** RFC 1034 sets no limit on a chain of CNAMEs; what resolvers, and thus CAs, follow is about this long. */
const mostAliases = 8;
/** Look-ups at once. */
const concurrency = 10;
/** ms. One look-up, whatever servers do. */
const lookUpTimeout = 10_000;
/** ms. All look-ups of one instance: the challenge function has 60 s, and needs the rest for its own. */
const allTimeout = 45_000;

interface AuthoritativeDnsSettings {
  /** `192.0.2.1`, `192.0.2.1:5301` or `[2001:db8::1]:5301` */
  readonly rootServers: readonly string[];
  readonly reach?: Reach;
  /** The system's unless given. */
  readonly createResolver?: () => HostResolver;
}

/**
 * Asks authoritative servers, found from these root servers down. An instance is for one step: what it has heard once it does not ask
 * again, so that names of one zone share the way to it, and the sets above them. The clock of `allTimeout` runs from the first look-up.
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

  function lookUp<T>(find: (signal: AbortSignal) => Promise<T>): Promise<Lookup<T>> {
    end ??= AbortSignal.timeout(allTimeout);
    const whole = end;
    return limited(async () => {
      if (whole.aborted) return { failed: `the ${allTimeout / 1000} s for all look-ups were over` };
      try {
        return { found: await find(AbortSignal.any([whole, AbortSignal.timeout(lookUpTimeout)])) };
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

  /** Of this very domain, behind its CNAMEs, with the name that the records are at; `null`: it has none. */
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
    throw new LookupError(`the CNAME at ${domain} goes round, or on for more than ${mostAliases} links`);
  }

  /**
   * Of a server of this zone. Glue first: it is what resolvers follow, and of one that is named within the zone that it serves nobody else
   * may know the address. Where that is IPv6 alone, the address book's IPv4 as well. Of one without any, no resolver gets an answer either.
   */
  async function addressesIn(zone: string, server: string, signal: AbortSignal): Promise<readonly Address[]> {
    const glue = referrals.glueOf(zone, server);
    return glue.some(isIpv4) ? glue : [...glue, ...(await addressBook(server, signal))];
  }

  return {
    delegation: (zone) => lookUp((signal) => referrals.delegation(plain(zone), signal)),
    cname: (name) =>
      lookUp(async (signal) => {
        const { answers } = await ask(plain(name), 'CNAME', signal);
        return aliasOf(answers, plain(name)) ?? null;
      }),
    caa: (name) =>
      lookUp(async (signal) => {
        for (let domain = plain(name); domain !== ''; domain = above(domain)) {
          const found = await caaSet(domain, signal);
          if (found) return found;
        }
        return null;
      }),
    sameServers: (zone, some, others) =>
      lookUp(async (signal) => {
        const [ours, theirs] = [some.map(plain), others.map(plain)];
        if (ours.some((server) => theirs.includes(server))) return true;
        const [first, second] = await Promise.all([
          Promise.allSettled(ours.map((server) => addressesIn(plain(zone), server, signal))),
          Promise.allSettled(theirs.map((server) => addressBook(server, signal))),
        ]);
        const known = new Set(first.flatMap(shown));
        if (second.flatMap(shown).some((address) => known.has(address))) return true;
        // They may have the address in common that could not be found out, or was not looked up beside IPv4 ones.
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
