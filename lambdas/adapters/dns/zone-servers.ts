import { type Address, type AddressBook, mostAddresses, showAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import { type Question, query, type Reply } from './query.ts';
import { isWithin, plain } from './records.ts';

/** A zone as the referral of its parent describes it. */
export interface Cut {
  /** A plain name. The root is the empty name. */
  readonly zone: string;
  readonly nameServers: readonly string[];
  /** Addresses that came with the referral, by plain host name. */
  readonly glue: ReadonlyMap<string, readonly Address[]>;
}

/** Servers of one zone that are queried at most. The root and com have this many. */
const mostServers = 13;
/** Time of one query in each of two rounds over the servers of a zone, in ms. A server that is down costs one second. */
const rounds = [1_000, 2_000];
/** Time limit for all servers of one zone, in ms. A zone that is down must not use up the time of names in other zones. */
const zoneTimeout = 6_000;

/**
 * Queries the servers of a zone in turn until one sends an authoritative reply or a referral to a zone below. Servers that did not answer
 * before are queried last. A zone whose servers all stayed silent is not queried again.
 */
export function createZoneServers(addressBook: AddressBook) {
  const silent = new Set<string>();
  const down = new Map<string, LookupError>();

  /** Servers with glue first, then those whose address must be looked up, then those that did not answer before. */
  async function* serversOf({ nameServers, glue }: Cut, faults: Set<string>, signal: AbortSignal) {
    const last: { host: string; address: Address }[] = [];
    const hosts = nameServers.slice(0, mostServers);
    for (const host of [...hosts.filter((each) => glue.has(each)), ...hosts.filter((each) => !glue.has(each))]) {
      try {
        const addresses = glue.get(host) ?? (await addressBook(host, signal));
        if (addresses.length === 0) faults.add(`${host} has no address that may be queried`);
        for (const address of addresses.slice(0, mostAddresses)) {
          if (silent.has(showAddress(address))) last.push({ host, address });
          else yield { host, address };
        }
      } catch (error) {
        faults.add(messageOf(error));
      }
    }
    yield* last;
  }

  /** Throws `LookupError` with the zone, the question and the fault of each server. */
  return async (cut: Cut, question: Question, signal: AbortSignal): Promise<Reply> => {
    const before = down.get(cut.zone);
    if (before) throw before;
    const faults = new Set<string>();
    const time = AbortSignal.any([signal, AbortSignal.timeout(zoneTimeout)]);
    let heard = false;
    for (const timeout of rounds) {
      for await (const { host, address } of serversOf(cut, faults, time)) {
        if (time.aborted) break;
        const called = host === showAddress(address) ? host : `${host} (${showAddress(address)})`;
        try {
          const reply = await query(address, question, [timeout], time);
          const fault = faultOf(reply, cut.zone, question.name);
          if (!fault) return reply;
          heard = true;
          faults.add(`${called} ${fault}`);
        } catch (error) {
          const fault = messageOf(error);
          if (time.aborted) break; // The overall deadline cut this query short, so it does not count against the server.
          silent.add(showAddress(address));
          faults.add(`${called} ${fault}`);
        }
      }
    }
    const failure = new LookupError(
      `no ${cut.zone ? `name server of ${cut.zone}` : 'root server'} answers the query for ${question.type} ${question.name}: ${[...faults].join('; ') || 'the time for it was over'}`,
    );
    if (!heard && !signal.aborted) down.set(cut.zone, failure);
    throw failure;
  };
}

function messageOf(error: unknown): string {
  if (error instanceof LookupError) return error.message;
  throw error;
}

/** The fault of a reply, written to follow the name of the server. `null` if the reply is usable. */
function faultOf(reply: Reply, zone: string, name: string): string | null {
  if (reply.status !== 'NOERROR' && reply.status !== 'NXDOMAIN') return `says ${reply.status}`;
  if (reply.authoritative || referredTo(reply, zone, name) !== null) return null;
  return `is not authoritative for ${zone || 'the root'}`;
}

/** The zone below this one to which a reply refers for the name. `null` if the reply is not a referral. */
export function referredTo({ status, answers, authorities }: Reply, zone: string, name: string): string | null {
  if (status !== 'NOERROR' || authorities.some(({ type }) => type === 'SOA')) return null;
  if (answers.some((each) => plain(each.name) === name)) return null;
  const owners = authorities.flatMap((each) => (each.type === 'NS' ? plain(each.name) : []));
  return owners.find((owner) => owner !== zone && isWithin(owner, zone) && isWithin(name, owner)) ?? null;
}
