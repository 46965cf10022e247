import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { absent, codeOf, type HostResolver, lookupTimeout, systemResolver } from './addresses.ts';
import { LookupError, within } from './lookup.ts';

/** A host has no address, or none was found. The codes are those of `getaddrinfo`, which callers already know. */
class HostLookupError extends LookupError {
  override name = 'HostLookupError';
  /** `ENOTFOUND` if the host has no address. `EAI_AGAIN` if DNS did not answer, or failed. */
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';

  constructor(message: string, code: HostLookupError['code']) {
    super(message);
    this.code = code;
  }
}

/**
 * Returns the lookup of host names for connections to CAs and endpoints. A lookup takes three seconds at most. The default of Node.js is `getaddrinfo`,
 * which has no time limit. Its calls share four threads, so a few names whose DNS servers do not answer would delay the lookups of all other names, and
 * the calls to AWS.
 */
export function createHostLookup(createResolver = systemResolver): LookupFunction {
  return (host, options, callback) => {
    // DNS does not know this name. RFC 6761 §6.3
    if (host === 'localhost') return systemLookup(host, options, callback);
    addressesOf(host, familiesOf(options), createResolver()).then(
      ([first, ...others]) =>
        options.all ? callback(null, [first, ...others]) : callback(null, first.address, first.family),
      (error: HostLookupError) => callback(error, ''),
    );
  };
}

type Family = 4 | 6;

function familiesOf({ family }: LookupOptions): readonly Family[] {
  if (family === 4 || family === 'IPv4') return [4];
  return family === 6 || family === 'IPv6' ? [6] : [4, 6];
}

/**
 * Returns the addresses of a host, with IPv4 first. If the queries for one family fail or take too long, the addresses of the other family are the
 * result.
 */
async function addressesOf(
  host: string,
  families: readonly Family[],
  resolver: HostResolver,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  const found: LookupAddress[] = [];
  const failures: string[] = [];
  const query = async (family: Family) => {
    try {
      const addresses = await resolver[`resolve${family}`](host);
      found.push(...addresses.map((address) => ({ address, family })));
    } catch (error) {
      if (!absent.includes(codeOf(error))) failures.push(codeOf(error));
    }
  };
  const answered = await within(lookupTimeout, Promise.all(families.map(query)));
  const [first, ...others] = found.toSorted((a, b) => a.family - b.family);
  const reason = failures[0];
  resolver.cancel();
  if (first) return [first, ...others];
  if (!answered)
    throw new HostLookupError(`DNS gave no address of ${host} within ${lookupTimeout / 1000} s`, 'EAI_AGAIN');
  if (reason) throw new HostLookupError(`the address of ${host} cannot be looked up (${reason})`, 'EAI_AGAIN');
  throw new HostLookupError(`${host} has no address in DNS`, 'ENOTFOUND');
}
