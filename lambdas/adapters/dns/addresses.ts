import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublic } from '../../domain/rules/public-addresses.ts';
import { LookupError, unlessAborted, within } from './lookup.ts';
import type { Reach } from './root-servers.ts';

/** The address and port at which one server listens. */
export interface Address {
  /** IPv4 or IPv6, without brackets. */
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** RFC 1035 §4.2 */
const dnsPort = 53;

/** Addresses of one host that are queried. One may be down, and a host with hundreds of addresses must not cause hundreds of queries. */
export const mostAddresses = 2;

/** Time limit of the system's resolver for one host name, in ms. */
export const lookupTimeout = 3_000;

/** The resolver of `node:dns`, which sends its own queries. `getaddrinfo` shares four threads and has no time limit. */
export type HostResolver = Pick<Resolver, 'resolve4' | 'resolve6' | 'cancel'>;
export const systemResolver = (): HostResolver => new Resolver({ timeout: 1_000, tries: 2 });

export type AddressBook = (server: string, signal?: AbortSignal) => Promise<readonly Address[]>;

/**
 * Returns a function that gives the addresses of a name server that DNS names. Each name is looked up once. The result has IPv4 addresses, or
 * IPv6 addresses if there are no IPv4 ones. It has only addresses that may be queried, and is empty for an unknown host.
 *
 * With the reach `laboratory` the name may be an address or have a port.
 *
 * @throws LookupError when the system's resolver fails or takes too long
 */
export function createAddressBook(reach: Reach, createResolver = systemResolver): AddressBook {
  const known = new Map<string, Promise<readonly Address[]>>();

  async function addressesOf(server: string): Promise<readonly Address[]> {
    const written = writtenAddress(server);
    if (reach === 'laboratory' && written) return [written];
    const { host, port } = hostAndPort(server);
    if (isIP(host) || !isPort(port) || (reach === 'internet' && server.includes(':'))) return [];
    const resolver = createResolver();
    try {
      const hosts = await within(lookupTimeout, hostsOf(host, reach, resolver));
      if (!hosts) throw new LookupError(`the address of ${server} was not found within ${lookupTimeout / 1000} s`);
      return hosts.map((each) => ({ host: each, family: isIP(each) === 6 ? 6 : 4, port }));
    } finally {
      resolver.cancel();
    }
  }

  return async (server, signal) => {
    const looking = known.get(server) ?? addressesOf(server);
    known.set(server, looking);
    return unlessAborted(looking, signal);
  };
}

/** Error codes for a name that does not exist and for a name without records of the type. */
export const absent: readonly string[] = ['ENOTFOUND', 'ENODATA'];

async function hostsOf(host: string, reach: Reach, resolver: HostResolver): Promise<readonly string[]> {
  for (const resolve of ['resolve4', 'resolve6'] as const) {
    try {
      const found = await resolver[resolve](host);
      const hosts = found.filter((each) => reach === 'laboratory' || isPublic(each));
      if (hosts.length > 0) return hosts;
    } catch (error) {
      const code = codeOf(error);
      if (!absent.includes(code)) {
        throw new LookupError(`the address of ${host} cannot be looked up (${code})`, { cause: error });
      }
    }
  }
  return [];
}

/** Returns the code of an error of the system's resolver. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';

/** Parses `192.0.2.1`, `192.0.2.1:5301` or `[2001:db8::1]:5301`. Returns `null` for other text. Use it for trusted text only. */
export function writtenAddress(server: string): Address | null {
  const { host, port } = hostAndPort(server);
  const family = isIP(host);
  return (family === 4 || family === 6) && isPort(port) ? { host, family, port } : null;
}

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

/** Splits `host`, `host:port` or `[address]:port`. The port is 53 where the text has none. */
export function hostAndPort(server: string): { readonly host: string; readonly port: number } {
  if (isIP(server)) return { host: server, port: dnsPort };
  const [, bracketed, host = '', port = dnsPort] = /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/.exec(server) ?? [];
  return { host: bracketed ?? host.replace(/\.$/, ''), port: Number(port) };
}

/** Writes an address as `192.0.2.1`, and with a port other than 53 as `192.0.2.1:5301` or `[2001:db8::1]:5301`. */
export function showAddress({ host, family, port }: Address): string {
  if (port === dnsPort) return host;
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
