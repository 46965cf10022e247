import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { NameServers } from '../rules/ports.ts';

/** ms. Two tries of 2 s for each address: a server that is down costs 4 s, or 8 s by IPv4 and IPv6. */
const limits = { timeout: 2_000, maxTimeout: 2_000, tries: 2 } as const;

/** The name is not there, or has no TXT set. */
const noSuchValue = new Set(['ENOTFOUND', 'ENODATA']);

/** No usable answer: this server shows no values, and whoever waits for them names it and asks again. */
const noAnswer = new Set([
  'ETIMEOUT',
  'ECONNREFUSED',
  'ESERVFAIL',
  'EREFUSED',
  'EBADRESP',
  'EFORMERR',
  'ENOTIMP',
  'EAI_AGAIN',
]);

/**
 * Asks each server itself, with a channel of its own for every question, so no cache stands between.
 *
 * A server that does not answer is one that has no values: a name server that is down must not end a renewal, it only keeps
 * propagation waiting.
 */
export function createNameServers(): NameServers {
  const known = new Map<string, Promise<readonly string[]>>();

  function addressesOf(server: string): Promise<readonly string[]> {
    const addresses = known.get(server) ?? resolved(server);
    known.set(server, addresses);
    return addresses;
  }

  return {
    async txt(server, name) {
      const resolver = new Resolver(limits);
      try {
        resolver.setServers(await addressesOf(server));
        // One TXT record is a list of strings of up to 255 bytes, RFC 7208 §3.3 among others joins them.
        return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        if (noSuchValue.has(code) || noAnswer.has(code)) return [];
        throw error;
      }
    },
  };
}

/** `192.0.2.1`, `192.0.2.1:5301`, `[2001:db8::1]:5301` as they are; a host name, with or without a port, by its addresses, IPv4 first. */
async function resolved(server: string): Promise<readonly string[]> {
  if (isIP(server) || server.startsWith('[')) return [server];
  const [host = '', port] = server.split(':');
  if (isIP(host)) return [server];
  const addresses = await lookup(host.replace(/\.$/, ''), { all: true, order: 'ipv4first' });
  return addresses.map(({ address, family }) => {
    const bracketed = family === 6 ? `[${address}]` : address;
    return port === undefined ? address : `${bracketed}:${port}`;
  });
}
