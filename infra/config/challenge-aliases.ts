import { z } from 'zod';
import {
  challengeRecordName,
  longestSuffix,
  normalizeIdentifier,
  withoutWildcard,
} from '../../lambdas/domain/rules/proof/names.ts';
import { readValue, show } from './fields.ts';
import type { CheckedHostedZones } from './hosted-zones.ts';
import type { Report } from './mistakes.ts';

const allowed =
  'the name that the CNAME at _acme-challenge.<name> points to, or an object with one name for each identifier';
const aliasShape = z.union([z.string(), z.record(z.string(), z.string())], { error: allowed }).optional();

/** Labels may also have underscores, because a record name need not be a host name. RFC 1035 §2.3.4, RFC 8552 */
const recordName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Returns the names of the TXT records by identifier without `*.`. Rejected entries are reported and left out. */
export function checkChallengeAliases(
  fields: { readonly challengeAlias?: unknown; readonly identifiers?: readonly unknown[] | undefined },
  path: string,
  zones: CheckedHostedZones | undefined,
  report: Report,
): Readonly<Record<string, string>> {
  const given = readValue(aliasShape, fields.challengeAlias, `${path}.challengeAlias`, report);
  if (given === undefined) return {};
  const names = (fields.identifiers ?? []).flatMap((each) =>
    typeof each === 'string' ? [withoutWildcard(normalizeIdentifier(each))] : [],
  );
  const entries =
    typeof given === 'string'
      ? names.map((name) => ({ name, target: given, at: `${path}.challengeAlias` }))
      : Object.entries(given).map(([key, target]) => {
          const name = withoutWildcard(normalizeIdentifier(key));
          return { name, target, at: `${path}.challengeAlias[${JSON.stringify(key)}]` };
        });
  const aliases: Record<string, string> = {};
  const reported = new Set<string>();
  for (const { name, target, at } of entries) {
    const wrong = names.includes(name)
      ? checkTarget(name, target, zones)
      : ([`found ${show(name)}`, 'expected one of the identifiers'] as const);
    if (!wrong) aliases[name] = normalizeIdentifier(target);
    // One target for all identifiers is reported once.
    else if (!reported.has(`${at} ${wrong[0]}`)) report(at, ...wrong);
    if (wrong) reported.add(`${at} ${wrong[0]}`);
  }
  return aliases;
}

/** Returns what is wrong with the target of a CNAME and what is allowed, or `undefined`. */
function checkTarget(
  name: string,
  target: string,
  zones: CheckedHostedZones | undefined,
): readonly [problem: string, allowed: string] | undefined {
  const normalized = normalizeIdentifier(target);
  if (!recordName.test(normalized)) return [`${show(target)} is not a valid record name`, `expected ${allowed}`];
  if (normalized === challengeRecordName(name))
    return [`${show(target)} is the CNAME record itself`, 'expected the name that it points to'];
  if (!zones) return undefined;
  const zone = zones.hostedZones[longestSuffix(normalized, zones.byName) ?? -1];
  if (!zone) return [`${show(target)} is in no hosted zone`, 'expected a name in one of hostedZones'];
  if (zone.challengesOnly || normalized.startsWith('_acme-challenge.')) return undefined;
  return [
    `${show(target)} is in a zone without challengesOnly`,
    'expected a name that begins with _acme-challenge. or is in a zone with challengesOnly',
  ];
}
