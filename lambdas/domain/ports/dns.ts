export interface NameServers {
  /** The TXT values of a name that this server (host name, address or address:port) answers with; none for NXDOMAIN. */
  txt(server: string, name: string): Promise<readonly string[]>;
}

/** What was found, or in words why nothing could be found out (a timeout, SERVFAIL): never thrown. */
export type Lookup<T> = { readonly found: T } | { readonly failed: string };

/** RFC 8659 §4.1 */
export interface CaaRecord {
  /** RFC 8659 §4.1: a CA that does not know the tag must not issue. */
  readonly critical: boolean;
  /** Lower case. */
  readonly tag: string;
  readonly value: string;
}

/** What servers say that are authoritative, found from the root down: no resolver in between learns that a name is not there yet. */
export interface AuthoritativeDns {
  /** Host names of the servers that the parent of this zone delegates it to; none: it does not. */
  delegation(zone: string): Promise<Lookup<readonly string[]>>;
  /** Target of the CNAME at this very name; `null`: there is none. One link of a chain. */
  cname(name: string): Promise<Lookup<string | null>>;
  /**
   * The relevant CAA set: of the name (behind its CNAMEs), or of the closest domain above it that has one. RFC 8659 §3. `null`: none up
   * to the root.
   */
  caa(name: string): Promise<Lookup<{ readonly domain: string; readonly records: readonly CaaRecord[] } | null>>;
  /**
   * Whether one of the servers that this zone is delegated to has an address in common with one of the others: white-label name servers have
   * other names.
   */
  sameServers(zone: string, some: readonly string[], others: readonly string[]): Promise<Lookup<boolean>>;
}
