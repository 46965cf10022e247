import type { HostedZone } from '../domain/contract/config.ts';
import { ZoneNotDelegatedError } from '../domain/contract/errors.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { recordList } from '../domain/rules/proof/record-list.ts';

/**
 * Checks whether the parent domain delegates to this hosted zone, whose name servers are `expected`. A server belongs to the zone if it has the
 * name or an address of an expected server. The addresses matter because white-label name servers have other names.
 *
 * Returns `true` if at least one server belongs to the zone, and warns about the others. Returns `false`, with a warning, if the delegation
 * cannot be determined.
 *
 * @throws ZoneNotDelegatedError if no server belongs to the zone
 */
export async function checkDelegation(
  { id, name }: HostedZone,
  expected: readonly string[],
  dns: Pick<AuthoritativeDns, 'delegation' | 'sameServers'>,
  warn: (warning: string) => void,
): Promise<boolean> {
  const unknown = (why: string) => {
    warn(`Whether ${name} is delegated to hosted zone ${id} could not be determined: ${why}.`);
    return false;
  };
  const delegation = await dns.delegation(name);
  if ('failed' in delegation) return unknown(delegation.failed);

  const names = new Set(expected.map(plain));
  const checked = await Promise.all(
    delegation.found.map(async (server) =>
      names.has(plain(server))
        ? { server, found: true }
        : { server, ...(await dns.sameServers(name, [server], expected)) },
    ),
  );
  const otherServers = checked.flatMap((each) => ('found' in each && !each.found ? [each.server] : []));
  const failures = checked.flatMap((each) => ('failed' in each ? [each.failed] : []));
  if (checked.some((each) => 'found' in each && each.found)) {
    if (otherServers.length > 0) {
      warn(
        `${name} is also delegated to ${listed(otherServers)}, which do not serve hosted zone ${id}. A CA that queries them does not find the TXT record. The servers of the hosted zone are ${expected.join(', ')}.`,
      );
    }
    return true;
  }
  if (failures.length > 0) return unknown(failures.join('; '));
  const found = otherServers.length > 0 ? `to ${listed(otherServers)}` : 'to no server';
  throw new ZoneNotDelegatedError({
    what: `A CA would not find the records in hosted zone ${id} of ${name}.`,
    why: `The parent domain delegates ${name} ${found}, but the hosted zone is served by ${expected.join(', ')}.`,
    remedy:
      'Configure the hosted zone that is in use, or set these records at the parent domain (for a registered domain, set its name servers ' +
      `at the registrar): ${records(name, expected)}.`,
    zone: id,
    servers: otherServers,
  });
}

/** A part of a hosted zone that is delegated to other servers. */
interface InnerZone {
  readonly domain: string;
  readonly servers: readonly string[];
}

/**
 * Returns the topmost domain from the hosted zone down to `name` that is a zone of its own, because the hosted zone delegates it. Records at
 * `name` are then looked up there and not in the hosted zone. Returns `null` if there is none, and warns if a lookup fails.
 */
export async function innerZone(
  name: string,
  zone: HostedZone,
  delegation: AuthoritativeDns['delegation'],
  warn: (warning: string) => void,
): Promise<InnerZone | null> {
  const labels = name.slice(0, -zone.name.length).split('.').slice(0, -1);
  const below = labels.map((_, index) => `${labels.slice(index).join('.')}.${zone.name}`).reverse();
  const answers = await Promise.all(below.map(async (domain) => ({ domain, ...(await delegation(domain)) })));
  for (const answer of answers) {
    if ('failed' in answer) {
      warn(`Whether ${answer.domain} is a zone of its own could not be determined: ${answer.failed}.`);
    } else if (answer.found.length > 0) {
      return { domain: answer.domain, servers: answer.found };
    }
  }
  return null;
}

/** Returns the error for a record that the CA would look for in another zone. */
export const notInZone = (
  name: string,
  { id, name: zone }: HostedZone,
  { domain, servers }: InnerZone,
): ZoneNotDelegatedError =>
  new ZoneNotDelegatedError({
    what: `A CA would not find ${name} in hosted zone ${id} of ${zone}.`,
    why: `${domain} is a zone of its own, which is delegated to ${listed(servers)}.`,
    remedy: `Add the hosted zone of ${domain} to the configuration, or remove these records: ${records(domain, servers)}.`,
    zone: id,
    servers,
  });

/** Lists at most six servers, so that the records fit into the message. */
const listed = (servers: readonly string[]): string =>
  servers.slice(0, 6).join(', ') + (servers.length > 6 ? ` and ${servers.length - 6} more` : '');

/** Returns NS records that the operator can paste into a zone file. */
const records = (domain: string, servers: readonly string[]): string =>
  recordList(servers.map((server) => `${domain}. 3600 IN NS ${plain(server)}.`));

const plain = (server: string): string => server.replace(/\.$/, '').toLowerCase();
