import type { NameServers } from '../../domain/ports/dns.ts';
import { type Address, type AddressBook, createAddressBook, mostAddresses, writtenAddress } from './addresses.ts';
import { LookupError } from './lookup.ts';
import { query, type Reply } from './query.ts';
import { aliasOf, plain, txtValues } from './records.ts';
import type { Tries } from './transports.ts';

/** ms. Two tries of 2 s for each address: a server that is down costs 4 s, or 8 s at two addresses. */
const tries: Tries = [2_000, 2_000];

/**
 * Asks each server itself, so no cache stands between.
 *
 * A server that does not answer is one that has no values: a name server that is down must not end a renewal, it only keeps
 * propagation waiting.
 *
 * Which servers those are Route 53 says, so that an address, with or without a port, is taken as it is. Where a host name leads DNS says:
 * to public addresses only.
 */
export function createNameServers(addressBook: AddressBook = createAddressBook('internet')): NameServers {
  async function addressesOf(server: string): Promise<readonly Address[]> {
    const written = writtenAddress(server);
    // A host name without an address answers nothing either.
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

/** Of the name, or of where its CNAMEs lead within the answer. */
function valuesIn({ answers }: Reply, name: string): readonly string[] {
  let at = name;
  // Each link is one record: a chain longer than the answer is a loop.
  for (const _ of answers) at = aliasOf(answers, at) ?? at;
  return txtValues(answers, at);
}
