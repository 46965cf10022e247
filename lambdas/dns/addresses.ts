import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LookUpError, within } from './look-up.ts';

/** Where one server listens. */
export interface Address {
  /** IPv4 or IPv6, without brackets. */
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** RFC 1035 §4.2 */
const dnsPort = 53;

/** ms. What the system's resolver may take for one host name. */
const lookupTimeout = 3_000;

export type AddressBook = (server: string, signal?: AbortSignal) => Promise<readonly Address[]>;

/**
 * Addresses of name servers, IPv4 first, each looked up once: `192.0.2.1`, `192.0.2.1:5301`, `[2001:db8::1]:5301` as they are; a host
 * name, with or without a port, as the system's resolver knows it; none where there is no such host. Throws `LookUpError`.
 */
export function createAddressBook(): AddressBook {
  const known = new Map<string, Promise<readonly Address[]>>();
  return async (server, signal) => {
    const looking = known.get(server) ?? addressesOf(server);
    known.set(server, looking);
    const found = await within(lookupTimeout, looking, signal);
    if (!found) throw new LookUpError(`the address of ${server} was not found within ${lookupTimeout / 1000} s`);
    return found;
  };
}

async function addressesOf(server: string): Promise<readonly Address[]> {
  const { host, port } = hostAndPort(server);
  if (!(port >= 1 && port <= 65_535)) return [];
  const literal = isIP(host);
  if (literal === 4 || literal === 6) return [{ host, family: literal, port }];
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' });
    return found.map(({ address, family }) => ({ host: address, family: family === 6 ? 6 : 4, port }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOTFOUND') return [];
    throw new LookUpError(`the address of ${host} cannot be found out (${code})`, { cause: error });
  }
}

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
