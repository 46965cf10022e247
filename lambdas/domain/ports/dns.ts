/** Queries to single name servers. */
export interface NameServers {
  /** Returns the TXT values of a name at one server, which is a host name, an address or address:port. Empty for NXDOMAIN. */
  txt(server: string, name: string): Promise<readonly string[]>;
}

/** The result of a lookup, or the reason why it failed (for example a timeout or SERVFAIL). A failed lookup is not thrown. */
export type Lookup<T> = { readonly found: T } | { readonly failed: string };

/** One CAA record. RFC 8659 §4.1 */
export interface CaaRecord {
  /** Whether a CA that does not know the tag must not issue. */
  readonly critical: boolean;
  /** Tag in lower case. */
  readonly tag: string;
  readonly value: string;
}

/** Answers of authoritative servers, found by referrals from the root. No resolver is used, so none caches that a name does not exist yet. */
export interface AuthoritativeDns {
  /** Host names of the servers to which the parent delegates this zone. Empty if it does not. */
  delegation(zone: string): Promise<Lookup<readonly string[]>>;
  /** Target of the CNAME at exactly this name, which is one link of a chain. `null` if there is none. */
  cname(name: string): Promise<Lookup<string | null>>;
  /**
   * The relevant CAA set of a name (RFC 8659 §3). It is the set at the name, after its CNAMEs, or at the closest parent domain that has one.
   * `null` if none has.
   */
  caa(name: string): Promise<Lookup<{ readonly domain: string; readonly records: readonly CaaRecord[] } | null>>;
  /**
   * Tells whether a server of this zone has an address in common with one of the other servers. White-label name servers have other names for
   * the same addresses.
   */
  sameServers(zone: string, some: readonly string[], others: readonly string[]): Promise<Lookup<boolean>>;
}
