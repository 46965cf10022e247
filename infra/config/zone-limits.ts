import type { DeployedConfig, HostedZone } from '../../lambdas/domain/contract/config.ts';
import { mostZoneBytes, neededZones, zoneBytes } from '../../lambdas/domain/rules/proof/challenge-zones.ts';
import type { Report } from './mistakes.ts';

/**
 * Zones in one statement. IAM allows 10,240 characters of inline policies for a role, and 10 managed policies of 6,144 characters. The CDK
 * fills them up to 10,000 and 6,000 characters, and moves only whole statements. An ARN has 68 characters and 3 for quotes and comma, so 35
 * zones have 2,485. Two statements for the same zones have 480 and 100 characters more, together 5,550, which fit into one managed policy.
 */
export const zonesInStatement = 35;
/** The inline policy and ten managed policies. Each holds the statements for one group of zones, or for one group of roles. */
const mostGroups = 11;

/** Reports hosted zones that do not fit into the policies of the challenge function, or into the state of an execution. */
export function checkZoneLimits({ hostedZones, certificates, issuers }: DeployedConfig, report: Report): void {
  checkPolicies(hostedZones, report);
  for (const [index, { identifiers, challengeAliases, issuers: used }] of certificates.entries()) {
    if (!used.some((each) => issuers[each]?.challenges.includes('dns-01'))) continue;
    const needed = neededZones({ identifiers, ...(challengeAliases && { challengeAliases }) }, hostedZones);
    const bytes = zoneBytes(needed);
    if (bytes <= mostZoneBytes) continue;
    const problem = `its ${needed.length} hosted zones, with all that are challengesOnly, have ${bytes} bytes`;
    report(
      `certificates[${index}]`,
      problem,
      `expected at most ${mostZoneBytes}, which fit into the state of an execution`,
    );
  }
}

function checkPolicies(zones: readonly HostedZone[], report: Report): void {
  const own = zones.filter(({ role }) => !role);
  const roles = new Set(zones.flatMap(({ role }) => role?.arn ?? []));
  const groups = (count: number) => Math.ceil(count / zonesInStatement);
  const forChallenges = own.filter(({ challengesOnly }) => challengesOnly).length;
  const needed = groups(own.length - forChallenges) + groups(forChallenges) + groups(roles.size);
  if (needed <= mostGroups) return;
  const most = mostGroups * zonesInStatement;
  const problem = `found ${own.length} zones of this account and ${roles.size} roles, which need ${needed} policies of ${zonesInStatement} each`;
  report(
    'hostedZones',
    problem,
    `expected at most ${mostGroups} policies, such as ${most} zones, or divide the certificates among stacks`,
  );
}
