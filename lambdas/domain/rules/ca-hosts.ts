import { isIP } from 'node:net';

/** The directory of a CA, which decides about the URLs in the replies of that CA. */
export interface Directory {
  /** URL of the directory, from the configuration. */
  readonly url: string;
  /** Whether the last connection to the host of the directory had a private address, as for a private CA or the local environment. */
  readonly isPrivate: boolean;
}

/**
 * Returns why a request to this URL of a CA is not sent, as the end of a sentence that begins with the URL. Returns `null` if it may be sent.
 *
 * A CA must not direct requests to other servers near the function, such as the runtime API of Lambda on loopback. So the URL needs https, unless
 * the directory itself has none. The host of the directory is always allowed. Another host must be a DNS name with public addresses only, which
 * `privateAddress` checks at each connection. A private CA may name any host.
 */
export function urlProblem(url: string, directory: Directory): string | null {
  const { protocol, username, password, hostname } = new URL(url);
  const own = new URL(directory.url);
  if (protocol !== 'https:' && !(protocol === 'http:' && own.protocol === 'http:')) return 'does not use https';
  if (username !== '' || password !== '') return 'has a user name or a password';
  if (hostname === own.hostname || directory.isPrivate) return null;
  // The URL parser writes every form of an IPv4 address, such as 0x7f.1, as four decimal numbers.
  return isIP(bare(hostname)) === 0 ? null : 'has an address in place of a DNS name';
}

/** Returns the first address that the host may not have, or `undefined` if the connection may be made. */
export function privateAddress(
  host: string,
  addresses: readonly string[],
  directory: Directory,
  isPublic: (address: string) => boolean,
): string | undefined {
  if (directory.isPrivate || host === bare(new URL(directory.url).hostname)) return undefined;
  return addresses.find((address) => !isPublic(address));
}

/** The host of a URL without the brackets of an IPv6 address, as Node.js passes it to a connection. */
export const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');
