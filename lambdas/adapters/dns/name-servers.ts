import type { NameServers } from '../../domain/ports/dns.ts';
import { type Address, type AddressBook, createAddressBook, mostAddresses, writtenAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import { query, type Reply } from './query.ts';
import { aliasOf, mostAliases, plain, txtValues } from './records.ts';
import type { Tries } from './transports.ts';

/** Time of each try, in ms. A server that is down costs 2 + 2 = 4 s, or 8 s if it has two addresses. */
const tries: Tries = [2_000, 2_000];

/**
 * Queries each name server directly, so that no cache is involved.
 *
 * A server that does not answer counts as a server without values. A name server that is down must not end a renewal. It only delays the
 * check of propagation.
 *
 * Route 53 names the servers, so an address, with or without a port, is used as it is. The addresses of a host name come from DNS, so only
 * public ones are used.
 */
export function createNameServers(addressBook: AddressBook = createAddressBook('internet')): NameServers {
  async function addressesOf(server: string): Promise<readonly Address[]> {
    const written = writtenAddress(server);
    // A host name without an address counts as a server that does not answer.
    return written ? [written] : (await addressBook(server).catch(none)).slice(0, mostAddresses);
  }

  return {
    async txt(server, name) {
      for (const address of await addressesOf(server)) {
        try {
          const reply = await query(address, { name, type: 'TXT' }, tries);
          if (reply.status === 'NOERROR' || reply.status === 'NXDOMAIN') return valuesIn(reply, plain(name));
        } catch (error) {
          if (!(error instanceof LookupError)) throw error;
        }
      }
      return [];
    },
  };
}

const none = (): readonly Address[] => [];

/** The TXT values of the name, or of the name at the end of its CNAMEs within the answer. */
function valuesIn({ answers }: Reply, name: string): readonly string[] {
  let at = name;
  for (let links = 0; links < mostAliases; links++) at = aliasOf(answers, at) ?? at;
  return txtValues(answers, at);
}
