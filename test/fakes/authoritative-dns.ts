import type { AuthoritativeDns, CaaRecord, Lookup } from '../../lambdas/domain/ports/dns.ts';

/** The answers of authoritative DNS servers, set by a test. Other names have neither CNAME nor CAA records. */
export class FakeAuthoritativeDns implements AuthoritativeDns {
  readonly #delegations = new Map<string, readonly string[]>();
  readonly #cnames = new Map<string, string>();
  readonly #caa = new Map<string, readonly CaaRecord[]>();
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #failures = new Map<string, string>();

  // ---- for tests

  /** Delegates this zone to these servers. Domains below it are no zones of their own unless they are delegated too. */
  delegate(zone: string, ...servers: readonly string[]): void {
    this.#delegations.set(zone, servers);
  }

  alias(name: string, target: string): void {
    this.#cnames.set(name, target);
  }

  /** Sets the CAA records of a domain. Records are written as in a zone file, for example `0 issue "ca.example"`. */
  setCaa(domain: string, ...records: readonly string[]): void {
    this.#caa.set(domain, records.map(parsed));
  }

  address(server: string, ...addresses: readonly string[]): void {
    this.#addresses.set(server, addresses);
  }

  /** Makes a query fail. It is given as a type and a name, for example `cname example.com`. */
  fail(question: string, why = 'no server answered'): void {
    this.#failures.set(question, why);
  }

  // ---- the port

  async delegation(zone: string): Promise<Lookup<readonly string[]>> {
    const below = [...this.#delegations.keys()].some((each) => zone.endsWith(`.${each}`));
    const servers = this.#delegations.get(zone) ?? (below ? [] : undefined);
    return servers ? this.#answer(`delegation ${zone}`, servers) : { failed: `no delegation is set for ${zone}` };
  }

  async cname(name: string): Promise<Lookup<string | null>> {
    return this.#answer(`cname ${name}`, this.#cnames.get(name) ?? null);
  }

  async caa(name: string): Promise<Lookup<{ readonly domain: string; readonly records: readonly CaaRecord[] } | null>> {
    const above = name.split('.').map((_, index, labels) => labels.slice(index).join('.'));
    const domains = above.map((domain) => this.#cnames.get(domain) ?? domain);
    const domain = domains.find((each) => this.#caa.has(each));
    return this.#answer(`caa ${name}`, domain === undefined ? null : { domain, records: this.#caa.get(domain) ?? [] });
  }

  async sameServers(_zone: string, some: readonly string[], others: readonly string[]): Promise<Lookup<boolean>> {
    const addresses = (servers: readonly string[]) => servers.flatMap((server) => this.#addresses.get(server) ?? []);
    const otherAddresses = addresses(others);
    return this.#answer(
      `addresses ${some.join(' ')}`,
      addresses(some).some((address) => otherAddresses.includes(address)),
    );
  }

  #answer<T>(question: string, found: T): Lookup<T> {
    const failed = this.#failures.get(question);
    return failed === undefined ? { found } : { failed };
  }
}

function parsed(record: string): CaaRecord {
  const [, flags, tag = '', value = ''] = /^(\d+) (\w+) "(.*)"$/.exec(record) ?? [];
  if (flags === undefined) throw new Error(`"${record}" is not a CAA record.`);
  return { critical: Number(flags) >= 128, tag, value };
}
