import { type Address, type AddressBook, mostAddresses, showAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import { type Question, query, type Reply } from './query.ts';
import { isWithin, plain } from './records.ts';

/** A zone as its parent's referral shows it. */
export interface Cut {
  /** Plain; the root is the empty name. */
  readonly zone: string;
  readonly nameServers: readonly string[];
  /** Addresses that came with the referral, by plain host name. */
  readonly glue: ReadonlyMap<string, readonly Address[]>;
}

/** As many as root and com have: of a zone that names more, not all are asked. */
const mostServers = 13;
/** ms. Two rounds over a zone's servers, the second more patient: one that is down costs a second. */
const rounds = [1_000, 2_000];
/** ms. For one zone's servers in all: a zone that is down must not take the time of the names in others. */
const zoneTimeout = 6_000;

/**
 * Asks a zone's servers, one after the other, until one gives an answer: an authoritative one or a referral downwards. Those that were
 * silent before come last, and a zone of which none was heard at all is not asked again.
 */
export function createZoneServers(addressBook: AddressBook) {
  const silent = new Set<string>();
  const down = new Map<string, LookupError>();

  /** In order of preference: with an address at hand, looked up, silent before. */
  async function* serversOf({ nameServers, glue }: Cut, faults: Set<string>, signal: AbortSignal) {
    const last: { host: string; address: Address }[] = [];
    const hosts = nameServers.slice(0, mostServers);
    for (const host of [...hosts.filter((each) => glue.has(each)), ...hosts.filter((each) => !glue.has(each))]) {
      try {
        const addresses = glue.get(host) ?? (await addressBook(host, signal));
        if (addresses.length === 0) faults.add(`${host} has no address that may be asked`);
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

  /** Throws `LookupError` that names the zone, the question, and each server's fault. */
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
          if (time.aborted) break; // it had less time than is its due
          silent.add(showAddress(address));
          faults.add(`${called} ${fault}`);
        }
      }
    }
    const failure = new LookupError(
      `no ${cut.zone ? `name server of ${cut.zone}` : 'root server'} answers the question for ${question.type} ${question.name}: ${[...faults].join('; ') || 'the time for it was over'}`,
    );
    if (!heard && !signal.aborted) down.set(cut.zone, failure);
    throw failure;
  };
}

function messageOf(error: unknown): string {
  if (error instanceof LookupError) return error.message;
  throw error;
}

/** Why this reply is of no use, after the server's name; `null`: it is. */
function faultOf(reply: Reply, zone: string, name: string): string | null {
  if (reply.status !== 'NOERROR' && reply.status !== 'NXDOMAIN') return `says ${reply.status}`;
  if (reply.authoritative || referredTo(reply, zone, name) !== null) return null;
  return `is not authoritative for ${zone || 'the root'}`;
}

/** The zone below this one that a reply refers to on the way to the name; `null`: the reply is no referral. */
export function referredTo({ status, answers, authorities }: Reply, zone: string, name: string): string | null {
  if (status !== 'NOERROR' || authorities.some(({ type }) => type === 'SOA')) return null;
  if (answers.some((each) => plain(each.name) === name)) return null;
  const owners = authorities.flatMap((each) => (each.type === 'NS' ? plain(each.name) : []));
  return owners.find((owner) => owner !== zone && isWithin(owner, zone) && isWithin(name, owner)) ?? null;
}
