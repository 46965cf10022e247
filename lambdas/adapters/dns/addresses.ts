import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublic, type Reach } from './allowed-addresses.ts';
import { LookupError, unlessAborted, within } from './lookup.ts';

/** Where one server listens. */
export interface Address {
  /** IPv4 or IPv6, without brackets. */
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** RFC 1035 §4.2 */
const dnsPort = 53;

/** Of one host: the one may be down, and a host with hundreds of addresses must not have hundreds asked. */
export const mostAddresses = 2;

/** ms. What the system's resolver may take for one host name. */
const lookupTimeout = 3_000;

/** That of node:dns asks by itself: getaddrinfo has four threads for everything, and holds them for as long as it likes. */
export type HostResolver = Pick<Resolver, 'resolve4' | 'resolve6' | 'cancel'>;
const systemResolver = (): HostResolver => new Resolver({ timeout: 1_000, tries: 2 });

export type AddressBook = (server: string, signal?: AbortSignal) => Promise<readonly Address[]>;

/**
 * Addresses of name servers that DNS names, each looked up once: those that the system's resolver knows by IPv4, where there are none by
 * IPv6, and that may be asked; none where there is no such host. Throws `LookupError`.
 *
 * In a laboratory the name may have a port, or be an address.
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

/** No such name, and no such record. */
const absent = ['ENOTFOUND', 'ENODATA'];

async function hostsOf(host: string, reach: Reach, resolver: HostResolver): Promise<readonly string[]> {
  for (const resolve of ['resolve4', 'resolve6'] as const) {
    try {
      const found = await resolver[resolve](host);
      const hosts = found.filter((each) => reach === 'laboratory' || isPublic(each));
      if (hosts.length > 0) return hosts;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';
      if (!absent.includes(code)) {
        throw new LookupError(`the address of ${host} cannot be found out (${code})`, { cause: error });
      }
    }
  }
  return [];
}

/** `192.0.2.1`, `192.0.2.1:5301`, `[2001:db8::1]:5301` as whoever is trusted wrote them; `null`: it is something else. */
export function writtenAddress(server: string): Address | null {
  const { host, port } = hostAndPort(server);
  const family = isIP(host);
  return (family === 4 || family === 6) && isPort(port) ? { host, family, port } : null;
}

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

export function hostAndPort(server: string): { readonly host: string; readonly port: number } {
  if (isIP(server)) return { host: server, port: dnsPort };
  const [, bracketed, host = '', port = dnsPort] = /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/.exec(server) ?? [];
  return { host: bracketed ?? host.replace(/\.$/, ''), port: Number(port) };
}

/** `192.0.2.1` or, where the port says something, `192.0.2.1:5301`, `[2001:db8::1]:5301`. */
export function showAddress({ host, family, port }: Address): string {
  if (port === dnsPort) return host;
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
