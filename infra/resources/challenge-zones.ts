import { Aws, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import { zonesInStatement } from '../config/zone-limits.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/** Characters of the longest ARN of a hosted zone, `arn:aws-us-gov:route53:::hostedzone/` and an id of 32 characters. */
export const hostedZoneArnSize = 36 + 32;
/** Characters of the longest ARN of a role without a path, `arn:aws-us-gov:iam::123456789012:role/` and a name of 64 characters. */
const roleArnSize = 38 + 64;

/**
 * Returns the size that the CDK assumes for each token in the policies of the function. Zone ids may be tokens, and so may the ARNs of
 * roles.
 */
export function challengeArnSize(zones: readonly HostedZone[]): number {
  return zones.some(({ role }) => Token.isUnresolved(role?.arn)) ? roleArnSize : hostedZoneArnSize;
}

/** The hosted zones in which challenges are written. This construct grants access to them and does not create them. */
export class ChallengeZones extends Construct {
  private readonly zones: readonly HostedZone[];

  constructor(scope: Construct, id: string, zones: readonly HostedZone[]) {
    super(scope, id);
    this.zones = zones;
  }

  /**
   * Allows CREATE and DELETE of TXT records whose names begin with `_acme-challenge.`, or of any TXT record in zones with `challengesOnly`.
   * For a zone with a role it allows only assuming the role, and the policy of that role decides (`ChallengeRole`).
   */
  grantChallenges(grantee: WorkflowFunction): void {
    const own = this.zones.filter(({ role }) => !role);
    const arns = (zones: readonly HostedZone[]) => zones.map(({ id }) => hostedZoneArn(id));
    const changes = [
      [own.filter(({ challengesOnly }) => !challengesOnly), ['_acme-challenge.*']],
      [own.filter(({ challengesOnly }) => challengesOnly), null],
    ] as const;
    for (const [zones, names] of changes) {
      for (const resources of chunks(arns(zones))) {
        grantee.allow({ actions: [changeAction], resources, conditions: onlyTxt(names) });
        grantee.allow({ actions: readActions, resources });
      }
    }
    if (own.length > 0)
      grantee.allow(
        { actions: ['route53:GetChange'], resources: [anyChange] },
        'Route 53 chooses the id of a change. Only its status can be read.',
      );
    for (const resources of chunks([...new Set(this.zones.flatMap(({ role }) => role?.arn ?? []))]))
      grantee.allow({ actions: ['sts:AssumeRole'], resources });
  }
}

/** Returns the ARNs in groups that fit into one statement each. */
export function chunks(arns: readonly string[]): string[][] {
  const count = Math.ceil(arns.length / zonesInStatement);
  return Array.from({ length: count }, (_, index) =>
    arns.slice(index * zonesInStatement, (index + 1) * zonesInStatement),
  );
}

export const hostedZoneArn = (id: string): string => `arn:${Aws.PARTITION}:route53:::hostedzone/${id}`;
export const anyChange = `arn:${Aws.PARTITION}:route53:::change/*`;
export const changeAction = 'route53:ChangeResourceRecordSets';
export const readActions = ['route53:GetHostedZone', 'route53:ListResourceRecordSets'];

const key = (name: string): string => `${changeAction}${name}`;

/**
 * Returns the conditions for TXT records whose names match, or for any TXT record with `null`. UPSERT is not allowed, so no record can be
 * overwritten. Every value of a request has to meet the conditions, and `Null` denies a request without these values.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
 */
export function onlyTxt(names: readonly string[] | null): Record<string, Record<string, unknown>> {
  return {
    'ForAllValues:StringEquals': { [key('RecordTypes')]: ['TXT'], [key('Actions')]: ['CREATE', 'DELETE'] },
    ...(names && { 'ForAllValues:StringLike': { [key('NormalizedRecordNames')]: names } }),
    Null: {
      [key('RecordTypes')]: 'false',
      [key('Actions')]: 'false',
      ...(names && { [key('NormalizedRecordNames')]: 'false' }),
    },
  };
}
