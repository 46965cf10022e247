import type { NameServers } from '../rules/ports.ts';
import { type Address, createAddressBook } from './addresses.ts';
import { LookUpError } from './look-up.ts';
import { query, type Reply } from './query.ts';
import { plain, targets, txtValues } from './records.ts';
import type { Tries } from './transports.ts';

/** ms. Two tries of 2 s for each address: a server that is down costs 4 s, or 8 s by IPv4 and IPv6. */
const tries: Tries = [2_000, 2_000];

/**
 * Asks each server itself, so no cache stands between.
 *
 * A server that does not answer is one that has no values: a name server that is down must not end a renewal, it only keeps
 * propagation waiting.
 */
export function createNameServers(): NameServers {
  const addresses = createAddressBook();

  return {
    async txt(server, name) {
      // A host name without an address answers nothing either.
      for (const address of await addresses(server).catch(none)) {
        try {
          const reply = await query(address, { name, type: 'TXT' }, tries);
          if (reply.status === 'NOERROR' || reply.status === 'NXDOMAIN') return valuesIn(reply, plain(name));
        } catch (error) {
          if (!(error instanceof LookUpError)) throw error;
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
  for (const _ of answers) at = targets(answers, at, 'CNAME')[0] ?? at;
  return txtValues(answers, at);
}
