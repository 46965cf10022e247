import type { HostedZone } from '../domain/contract/config.ts';
import { ZoneNotDelegatedError } from '../domain/contract/errors.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { recordList } from '../domain/rules/proof/record-list.ts';

/**
 * Whether the parent domain leads to this hosted zone, of which `expected` are the servers: by name, or by address where they were given
 * names of the domain's own. Throws `ZoneNotDelegatedError` when not one of the servers is the zone's; one that is not, beside others
 * that are, is a warning, and so is what could not be found out: then it comes back as false.
 */
export async function checkDelegation(
  { id, name }: HostedZone,
  expected: readonly string[],
  dns: Pick<AuthoritativeDns, 'delegation' | 'sameServers'>,
  warn: (warning: string) => void,
): Promise<boolean> {
  const unknown = (why: string) => {
    warn(`Whether ${name} is delegated to hosted zone ${id} could not be found out: ${why}.`);
    return false;
  };
  const delegation = await dns.delegation(name);
  if ('failed' in delegation) return unknown(delegation.failed);

  const names = new Set(expected.map(plain));
  const looked = await Promise.all(
    delegation.found.map(async (server) =>
      names.has(plain(server))
        ? { server, found: true }
        : { server, ...(await dns.sameServers(name, [server], expected)) },
    ),
  );
  const foreign = looked.flatMap((each) => ('found' in each && !each.found ? [each.server] : []));
  const failures = looked.flatMap((each) => ('failed' in each ? [each.failed] : []));
  if (looked.some((each) => 'found' in each && each.found)) {
    if (foreign.length > 0) {
      warn(
        `${name} is delegated to ${listed(foreign)} too, which hosted zone ${id} is not at: a CA that asks there sees no proof. Its servers are ${expected.join(', ')}.`,
      );
    }
    return true;
  }
  if (failures.length > 0) return unknown(failures.join('; '));
  const found = foreign.length > 0 ? `to ${listed(foreign)}` : 'to no server';
  throw new ZoneNotDelegatedError({
    what: `The CA would not see records in hosted zone ${id} of ${name}.`,
    why: `The parent domain delegates ${name} ${found}, but the hosted zone is at ${expected.join(', ')}.`,
    remedy:
      'Configure the zone that is in use, or set these records at the parent domain (of a registered domain: its name servers at the ' +
      `registrar): ${records(name, expected)}.`,
    zone: id,
    servers: foreign,
  });
}

interface InnerZone {
  readonly domain: string;
  readonly servers: readonly string[];
}

/**
 * The domain between this name and our zone that is a zone of its own, by a delegation in ours: what stands at the name is there, and not
 * in our zone. `null`: there is none, as far as could be found out.
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
      warn(`Whether ${answer.domain} is a zone of its own could not be found out: ${answer.failed}.`);
    } else if (answer.found.length > 0) {
      return { domain: answer.domain, servers: answer.found };
    }
  }
  return null;
}

/** The error for a record that the CA would look for in another zone. */
export const notInZone = (
  name: string,
  { id, name: zone }: HostedZone,
  { domain, servers }: InnerZone,
): ZoneNotDelegatedError =>
  new ZoneNotDelegatedError({
    what: `The CA would not see ${name} in hosted zone ${id} of ${zone}.`,
    why: `${domain} is a zone of its own, delegated to ${listed(servers)}.`,
    remedy: `Add the hosted zone of ${domain} to the configuration, or remove these records: ${records(domain, servers)}.`,
    zone: id,
    servers,
  });

/** Some are enough to know them by, and leave room in the message for the records. */
const listed = (servers: readonly string[]): string =>
  servers.slice(0, 6).join(', ') + (servers.length > 6 ? ` and ${servers.length - 6} more` : '');

/** Ready to paste. */
const records = (domain: string, servers: readonly string[]): string =>
  recordList(servers.map((server) => `${domain}. 3600 IN NS ${plain(server)}.`));

const plain = (server: string): string => server.replace(/\.$/, '').toLowerCase();
