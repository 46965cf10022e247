import { z } from 'zod';
import {
  challengeRecordName,
  longestSuffix,
  normalizeIdentifier,
  withoutWildcard,
} from '../../lambdas/domain/rules/proof/names.ts';
import { type Report, readValue, show } from './fields.ts';
import type { CheckedHostedZones } from './hosted-zones.ts';

const allowed = 'the name that the CNAME at _acme-challenge.<name> leads to, or an object with one for each identifier';
const aliasShape = z.union([z.string(), z.record(z.string(), z.string())], { error: allowed }).optional();

/** Letters, digits, hyphens and, as in all names of records that are no hosts, underscores. RFC 1035 §2.3.4, RFC 8552 */
const recordName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names of TXT records by identifier, without its star. What is refused is left out. */
export function checkChallengeAliases(
  fields: { readonly challengeAlias?: unknown; readonly identifiers?: readonly unknown[] | undefined },
  path: string,
  zones: CheckedHostedZones | undefined,
  report: Report,
): Readonly<Record<string, string>> {
  const told = readValue(aliasShape, fields.challengeAlias, `${path}.challengeAlias`, report);
  if (told === undefined) return {};
  const names = (fields.identifiers ?? []).flatMap((each) =>
    typeof each === 'string' ? [withoutWildcard(normalizeIdentifier(each))] : [],
  );
  const entries =
    typeof told === 'string'
      ? names.map((name) => ({ name, target: told, at: `${path}.challengeAlias` }))
      : Object.entries(told).map(([key, target]) => {
          const name = withoutWildcard(normalizeIdentifier(key));
          return { name, target, at: `${path}.challengeAlias[${JSON.stringify(key)}]` };
        });
  const aliases: Record<string, string> = {};
  const problems = new Set<string>();
  for (const { name, target, at } of entries) {
    const problem = names.includes(name)
      ? targetProblem(name, target, zones)
      : `found ${show(name)}, allowed: one of the identifiers`;
    if (problem === null) aliases[name] = normalizeIdentifier(target);
    else if (!problems.has(`${at} ${problem}`)) report(at, problem);
    problems.add(`${at} ${problem}`);
  }
  return aliases;
}

function targetProblem(name: string, target: string, zones: CheckedHostedZones | undefined): string | null {
  const normalized = normalizeIdentifier(target);
  if (!recordName.test(normalized)) return `found ${show(target)}, which is no name of a record, allowed: ${allowed}`;
  if (normalized === challengeRecordName(name))
    return `found ${show(target)}, where the CNAME itself stands, allowed: the name that it leads to`;
  if (!zones) return null;
  const zone = zones.hostedZones[longestSuffix(normalized, zones.byName) ?? -1];
  if (!zone) return `found ${show(target)}, which lies in none of hostedZones, allowed: a name in one of them`;
  if (zone.challengesOnly || normalized.startsWith('_acme-challenge.')) return null;
  return `found ${show(target)}, allowed: a name that begins with _acme-challenge. , or one in a zone that is marked challengesOnly`;
}
