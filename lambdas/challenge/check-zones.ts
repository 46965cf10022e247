import type { HostedZone } from '../domain/contract/config.ts';
import { ChallengeAliasError, DnsLookupError, ZoneNotFoundError } from '../domain/contract/errors.ts';
import type { ChallengeRecord, CheckZonesInput, CheckZonesOutput } from '../domain/contract/steps.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import type { HostedZones, HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import { challengeTarget } from '../domain/rules/proof/challenge-target.ts';
import { firstProblem } from '../domain/rules/proof/first-problem.ts';
import { challengeRecordName, withoutWildcard, zoneOf } from '../domain/rules/proof/names.ts';
import { checkCaa } from './check-caa.ts';
import { checkDelegation, innerZone, notInZone } from './check-delegation.ts';
import { followAlias } from './follow-alias.ts';

export interface CheckZonesPorts {
  readonly hostedZonesAs: HostedZonesAs;
  readonly dns: AuthoritativeDns;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<StepLog, 'warn' | 'error'>;
}

/**
 * Where each identifier's proof is written, and whether it can be seen there: the CNAMEs at `_acme-challenge.<name>` are followed, the
 * parent domain delegates to the hosted zone, CAA allows the issuer. RFC 8555 §8.4, RFC 8659. Before an order exists, so that none is
 * spent on a domain that is not ready. What cannot be found out is a warning: the CA will see for itself.
 *
 * Only reads, so running it twice is running it once.
 */
export async function checkZones(
  { certificate, spec, challengeZones, account }: CheckZonesInput,
  ports: CheckZonesPorts,
): Promise<CheckZonesOutput> {
  const { issuer, identifiers, challengeAliases = {} } = spec;
  if (issuer.challenges === 'none') return { challengeRecords: [], warnings: [] };
  const { log, clock } = ports;
  const warnings = new Set<string>();
  const warn = (warning: string) => void warnings.add(warning);
  const checks = checksOf(challengeZones, ports, warn);
  const places = { certificate, zones: challengeZones, told: challengeAliases };
  const order = { certificate, issuer: issuer.name, account, now: clock.now() };
  const looked = await Promise.all(
    identifiers.map((identifier) =>
      Promise.allSettled([place(identifier, places, checks, warn), checkCaa(identifier, order, checks.caa, warn)]),
    ),
  );
  for (const warning of warnings) log.warn(warning);
  const [first, ...others] = new Set(
    looked.flat().flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : [])),
  );
  for (const error of others) log.error('Another problem was found.', { error });
  if (first !== undefined) throw firstProblem(certificate, first, others);
  return {
    challengeRecords: looked.flatMap(([placed]) => (placed.status === 'fulfilled' ? [placed.value] : [])),
    warnings: bounded([...warnings]),
  };
}

interface Places {
  readonly certificate: string;
  readonly zones: readonly HostedZone[];
  /** Where CNAMEs lead as the configuration tells, by name. */
  readonly told: Readonly<Record<string, string>>;
}

/** The record of an identifier, once it is known that the world can see it. */
async function place(
  identifier: string,
  { certificate, zones, told }: Places,
  checks: Checks,
  warn: (warning: string) => void,
): Promise<ChallengeRecord> {
  const name = withoutWildcard(identifier);
  const alias = told[name] === undefined ? await checks.alias(name) : { ...unlinked, links: [told[name]] };
  const target = challengeTarget(identifier, alias, zones);
  const about = { what: `Control of ${identifier} cannot be proven.`, certificate, identifier };
  const notLookedUp = (why: string) =>
    new DnsLookupError({
      ...about,
      why,
      remedy: 'If this repeats, check that these servers answer, or set in challengeAlias where the CNAME leads.',
    });
  if ('missing' in target) {
    // The lookup is tried again: the operator has nothing to fix yet. As below.
    if (alias.unknown) throw notLookedUp(alias.unknown);
    const { missing, ...problem } = target;
    throw new { alias: ChallengeAliasError, zone: ZoneNotFoundError }[missing]({ ...about, ...problem });
  }
  const { zone } = target;
  if (alias.unknown) {
    // First what a person has to mend: it may be why nobody answered.
    await checks.delegated(zone);
    if (await checks.occupied(target.name, zone)) throw notLookedUp(alias.unknown);
    warn(alias.unknown);
  }
  const inner = (await checks.delegated(zone)) && (await checks.innerZone(target.name, zone));
  if (inner) throw notInZone(target.name, zone, inner);
  return { identifier, hostedZoneId: zone.id, ...(zone.role && { role: zone.role }), name: target.name };
}

const unlinked = { endless: null, unknown: null };

type Checks = ReturnType<typeof checksOf>;

/** What several identifiers have in common is looked up once. */
function checksOf(
  zones: readonly HostedZone[],
  { hostedZonesAs, dns }: CheckZonesPorts,
  warn: (warning: string) => void,
) {
  // Route 53 answers five calls a second for a whole account, so one after another.
  const oneAtATime = concurrencyLimit(1);
  const asking = <Answer>(zone: HostedZone, ask: (hostedZones: HostedZones) => Promise<Answer>): Promise<Answer> =>
    oneAtATime(() => ask(hostedZonesAs(zone.role)));
  const delegation = once((name: string) => dns.delegation(name));
  const inner = (name: string, zone: HostedZone) => innerZone(name, zone, delegation, warn);
  const setAt = (name: string, zone: HostedZone) => asking(zone, (hostedZones) => hostedZones.readTxt(zone.id, name));
  const isWildcards = async (name: string): Promise<boolean> => {
    const zone = zoneOf(name, zones);
    if (!zone || (await inner(name, zone))) return false;
    return (await setAt(name, zone)) === null;
  };
  return {
    alias: once((name: string) => followAlias(challengeRecordName(name), dns, isWildcards)),
    caa: once((name: string) => dns.caa(name)),
    /** A CNAME may stand there that DNS did not tell of: in the zone, or in a part of it that others have. */
    occupied: async (name: string, zone: HostedZone): Promise<boolean> =>
      (await inner(name, zone)) !== null || ((await setAt(name, zone))?.unsuitable ?? null) !== null,
    innerZone: inner,
    delegated: once(async (zone: HostedZone) => {
      const expected = await asking(zone, (hostedZones) => hostedZones.nameServers(zone.id, zone.name));
      return checkDelegation(zone, expected, dns, warn);
    }),
  };
}

function once<Key, Value>(look: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>();
  return (key) => {
    const found = known.get(key) ?? look(key);
    known.set(key, found);
    return found;
  };
}

/** 10 of 300 characters and a count: they are carried in the state, which has 256 KB for all. */
function bounded(warnings: readonly string[]): readonly string[] {
  const rest = warnings.length - 10;
  return [
    ...warnings.slice(0, 10).map((warning) => (warning.length > 300 ? `${warning.slice(0, 299)}…` : warning)),
    ...(rest > 0 ? [`${rest} more warnings are in the log.`] : []),
  ];
}
