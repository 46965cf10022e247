import type { CertificateSpec, HostedZone, Issuer } from '../domain/contract/config.ts';
import { ChallengeAliasError, DnsLookupError, ZoneNotFoundError } from '../domain/contract/errors.ts';
import { printable } from '../domain/contract/printable-text.ts';
import type { ChallengeRecord, CheckZonesInput, CheckZonesOutput } from '../domain/contract/steps.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import type { HostedZones, HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import { challengeTarget } from '../domain/rules/proof/challenge-target.ts';
import { firstProblem } from '../domain/rules/proof/first-problem.ts';
import { challengeRecordName, withoutWildcard, zoneOf } from '../domain/rules/proof/names.ts';
import { counted } from '../domain/rules/wording.ts';
import { checkCaa } from './check-caa.ts';
import { checkDelegation, innerZone, notInZone } from './check-delegation.ts';
import { followAlias } from './follow-alias.ts';

export interface CheckZonesPorts {
  readonly hostedZonesAs: HostedZonesAs;
  readonly dns: AuthoritativeDns;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<StepLog, 'warn' | 'error'>;
}

/** The fields of its input that the step reads. The command line checks certificates too that are not deployed yet. */
export interface CheckedZones extends Pick<CheckZonesInput, 'certificate' | 'challengeZones' | 'account'> {
  readonly spec: Pick<CertificateSpec, 'identifiers' | 'challengeAliases'> & {
    readonly issuer: Pick<Issuer, 'name' | 'challenges'>;
  };
}

/**
 * Finds the TXT record at which control of each identifier is proven, and checks that a CA can see it. RFC 8555 §8.4, RFC 8659. The step follows
 * the CNAMEs at `_acme-challenge.<name>`, checks that the parent domain delegates to the hosted zone, and checks that CAA allows the issuer.
 *
 * It runs before an order exists, so that no order is spent on a domain that is not ready. A check that cannot be made is only a warning,
 * because the CA makes the same checks itself.
 *
 * Read-only, so it is safe to run twice.
 */
export async function checkZones(
  { certificate, spec, challengeZones, account }: CheckedZones,
  ports: CheckZonesPorts,
): Promise<CheckZonesOutput> {
  const { issuer, identifiers, challengeAliases = {} } = spec;
  if (issuer.challenges.length === 0) return { challengeRecords: [], zoneServers: {}, warnings: [] };
  const { log, clock } = ports;
  const warnings = new Set<string>();
  const warn = (warning: string) => void warnings.add(warning);
  const checks = checksOf(challengeZones, ports, warn);
  const configured = { certificate, zones: challengeZones, aliases: challengeAliases };
  const order = { certificate, issuer: issuer.name, account, now: clock.now() };
  const results = await Promise.all(
    identifiers.map((identifier) =>
      Promise.allSettled([
        challengeRecordOf(identifier, configured, checks, warn),
        checkCaa(identifier, order, checks.caa, warn),
      ]),
    ),
  );
  for (const warning of warnings) log.warn(warning);
  const [first, ...others] = new Set(
    results.flat().flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : [])),
  );
  for (const error of others) log.error('Another problem was found.', { error });
  if (first !== undefined) throw firstProblem(certificate, first, others);
  const challengeRecords = results.flatMap(([record]) => (record.status === 'fulfilled' ? [record.value] : []));
  const used = challengeZones.filter(({ id }) => challengeRecords.some(({ hostedZoneId }) => hostedZoneId === id));
  const servers = used.map(async (zone) => [zone.id, await checks.nameServers(zone)] as const);
  return {
    challengeRecords,
    zoneServers: Object.fromEntries(await Promise.all(servers)),
    warnings: bounded([...warnings]),
  };
}

interface Configured {
  readonly certificate: string;
  readonly zones: readonly HostedZone[];
  /** Targets of CNAMEs that the configuration gives, by name. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** Returns the challenge record of an identifier, after the checks that a CA can see it. */
async function challengeRecordOf(
  identifier: string,
  { certificate, zones, aliases }: Configured,
  checks: Checks,
  warn: (warning: string) => void,
): Promise<ChallengeRecord> {
  const name = withoutWildcard(identifier);
  const alias = aliases[name] === undefined ? await checks.alias(name) : { ...unlinked, links: [aliases[name]] };
  const target = challengeTarget(identifier, alias, zones);
  const about = { what: `Control of ${identifier} cannot be proven.`, certificate, identifier };
  const notLookedUp = (why: string) =>
    new DnsLookupError({
      ...about,
      why,
      remedy:
        'The lookup is retried. If this repeats, check that these servers answer, or set the target of the CNAME in challengeAlias.',
    });
  if ('missing' in target) {
    // After a failed lookup it is unknown whether the operator has anything to fix, so the step is retried. The same applies below.
    if (alias.unknown) throw notLookedUp(alias.unknown);
    const { missing, ...problem } = target;
    throw new { alias: ChallengeAliasError, zone: ZoneNotFoundError }[missing]({ ...about, ...problem });
  }
  const { zone } = target;
  if (alias.unknown) {
    // The delegation is checked first, because a wrong one may be the reason for the failed lookup, and the operator has to fix it.
    await checks.delegated(zone);
    if (await checks.mayHaveCname(target.name, zone)) throw notLookedUp(alias.unknown);
    warn(alias.unknown);
  }
  const inner = (await checks.delegated(zone)) && (await checks.innerZone(target.name, zone));
  if (inner) throw notInZone(target.name, zone, inner);
  return { identifier, hostedZoneId: zone.id, ...(zone.role && { role: zone.role }), name: target.name };
}

const unlinked = { endless: null, unknown: null };

type Checks = ReturnType<typeof checksOf>;

/** Creates the lookups. Identifiers share their results, so each name and each zone is looked up once. */
function checksOf(
  zones: readonly HostedZone[],
  { hostedZonesAs, dns }: CheckZonesPorts,
  warn: (warning: string) => void,
) {
  // Route 53 answers at most ten requests a second per account (with bursts of 50), so the requests are sent one after another.
  const oneAtATime = concurrencyLimit(1);
  const request = <Answer>(zone: HostedZone, send: (hostedZones: HostedZones) => Promise<Answer>): Promise<Answer> =>
    oneAtATime(() => send(hostedZonesAs(zone.role)));
  const delegation = once((name: string) => dns.delegation(name));
  const inner = (name: string, zone: HostedZone) => innerZone(name, zone, delegation, warn);
  const nameServers = once((zone: HostedZone) =>
    request(zone, (hostedZones) => hostedZones.nameServers(zone.id, zone.name)),
  );
  const setAt = (name: string, zone: HostedZone) => request(zone, (hostedZones) => hostedZones.readTxt(zone.id, name));
  const isFromWildcard = async (name: string): Promise<boolean> => {
    const zone = zoneOf(name, zones);
    if (!zone || (await inner(name, zone))) return false;
    return (await setAt(name, zone)) === null;
  };
  return {
    alias: once((name: string) => followAlias(challengeRecordName(name), dns, isFromWildcard)),
    caa: once((name: string) => dns.caa(name)),
    /**
     * Tells whether a CNAME may exist at this name although its lookup failed. This is so if the hosted zone has something other than a plain
     * TXT set there, or if the name is in a part of the zone that is delegated to other servers.
     */
    mayHaveCname: async (name: string, zone: HostedZone): Promise<boolean> =>
      (await inner(name, zone)) !== null || ((await setAt(name, zone))?.unsuitable ?? null) !== null,
    innerZone: inner,
    nameServers,
    delegated: once(async (zone: HostedZone) => checkDelegation(zone, await nameServers(zone), dns, warn)),
  };
}

/** Returns a function that calls `lookUp` once for each key and shares the result. */
function once<Key, Value>(lookUp: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>();
  return (key) => {
    const found = known.get(key) ?? lookUp(key);
    known.set(key, found);
    return found;
  };
}

/** Keeps 10 warnings of at most 300 characters, and counts the rest. The workflow's state carries them, and it is limited to 256 KB. */
function bounded(warnings: readonly string[]): readonly string[] {
  const rest = warnings.length - 10;
  return [
    ...warnings.slice(0, 10).map((warning) => printable(warning, 300)),
    ...(rest > 0 ? [`${counted(rest, 'more warning is', 'more warnings are')} in the log.`] : []),
  ];
}
