import type { HostedZone } from '../lambdas/domain/contract/config.ts';
import { RoleNotAssumedError } from '../lambdas/domain/contract/errors.ts';
import type { HostedZonesAs } from '../lambdas/domain/ports/hosted-zones.ts';
import type { RolePermissions } from '../lambdas/domain/ports/role-permissions.ts';
import { challengeRecordName } from '../lambdas/domain/rules/proof/names.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { type Finding, findingOf } from './finding.ts';
import { sentence } from './problems.ts';

export interface ZoneRolePorts {
  readonly hostedZonesAs: HostedZonesAs;
  readonly permissions: Pick<RolePermissions, 'caller'>;
}

/** Assumes the role of each zone in another account and reads the zone, one finding for each role. */
export async function zoneRoleFindings(
  zones: readonly HostedZone[],
  { hostedZonesAs, permissions }: ZoneRolePorts,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [arn, own] of Map.groupBy(zones, ({ role }) => role?.arn)) {
    if (arn === undefined) continue;
    const names = own.map(({ name }) => name).join(', ');
    findings.push(
      await findingOf(`role ${arn}`, async () => {
        try {
          for (const { id, name, role } of own) {
            await hostedZonesAs(role).nameServers(id, name);
            await hostedZonesAs(role).readTxt(id, challengeRecordName(name));
          }
        } catch (error) {
          if (!(error instanceof RoleNotAssumedError)) throw error;
          throw notAssumed(arn, names, error, await permissions.caller());
        }
        return `can be assumed, and may read ${names}`;
      }),
    );
  }
  return findings;
}

/** A role that `ChallengeRole` makes trusts the function `challenge` only, so this is no fault of the deployment. */
function notAssumed(arn: string, zones: string, { explanation }: RoleNotAssumedError, caller: string): CommandError {
  const own = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: arn };
  const trust = { Effect: 'Allow', ...principalOf(caller), Action: 'sts:AssumeRole' };
  return new CommandError(
    [
      `Your credentials may not assume this role, so ${zones} cannot be read from here. ${sentence(explanation.why ?? '')} Renewals do not need this, because a ChallengeRole trusts the function challenge. To check the zones from here, add the first statement to the trust policy of the role, and the second one to a policy of yours.`,
      JSON.stringify(trust),
      JSON.stringify(own),
    ].join('\n'),
    exitCodes.refused,
  );
}

/** Returns the operator as the principal of a statement. A session is named by its role, which may have a path that the session does not show. */
function principalOf(caller: string): object {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(caller) ?? [];
  if (role === undefined) return { Principal: { AWS: caller } };
  const prefix = `arn:${partition}:iam::${account}`;
  return {
    Principal: { AWS: `${prefix}:root` },
    Condition: { ArnLike: { 'aws:PrincipalArn': [`${prefix}:role/${role}`, `${prefix}:role/*/${role}`] } },
  };
}
