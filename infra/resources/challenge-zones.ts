import { Aws, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/** The longest ARN of a hosted zone: `arn:aws-us-gov:route53:::hostedzone/` and an id of 32 characters. */
export const hostedZoneArnSize = 36 + 32;
/** The longest ARN of a role without a path: `arn:aws-us-gov:iam::123456789012:role/` and a name of 64 characters. */
const roleArnSize = 38 + 64;

/** What CDK has to take every token in the function's policies for: their ids are tokens, and now and then the roles' ARNs. */
export function challengeArnSize(zones: readonly HostedZone[]): number {
  return zones.some(({ role }) => Token.isUnresolved(role?.arn)) ? roleArnSize : hostedZoneArnSize;
}

/**
 * IAM takes 10,240 characters of inline policies for a role, 6,144 for a managed policy and 10 of those. CDK fills 10,000 and 6,000,
 * and moves statements, not parts of them. 35 zones at 68 + 3 for quotes and comma are 2,485, and with the two statements' own 480
 * and 100 a pair is 5,550: one managed policy. So 300 zones are an inline policy and 8 managed ones.
 */
const arnsPerStatement = 35;

/** The hosted zones that proofs are written into. The zones themselves belong to somebody else. */
export class ChallengeZones extends Construct {
  private readonly zones: readonly HostedZone[];

  constructor(scope: Construct, id: string, zones: readonly HostedZone[]) {
    super(scope, id);
    this.zones = zones;
  }

  /**
   * TXT records under `_acme-challenge` in these zones, and nothing else; of any name where a zone is for challenges only. In a zone that
   * has a role the role's policy decides (`ChallengeRole`), and assuming it is all that is allowed here.
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
        'A change has an id that Route 53 gives it, and its state is all that can be read.',
      );
    for (const resources of chunks([...new Set(this.zones.flatMap(({ role }) => role?.arn ?? []))]))
      grantee.allow({ actions: ['sts:AssumeRole'], resources });
  }
}

/** What goes into one statement each. */
export function chunks(arns: readonly string[]): string[][] {
  const count = Math.ceil(arns.length / arnsPerStatement);
  return Array.from({ length: count }, (_, index) =>
    arns.slice(index * arnsPerStatement, (index + 1) * arnsPerStatement),
  );
}

export const hostedZoneArn = (id: string): string => `arn:${Aws.PARTITION}:route53:::hostedzone/${id}`;
export const anyChange = `arn:${Aws.PARTITION}:route53:::change/*`;
export const changeAction = 'route53:ChangeResourceRecordSets';
export const readActions = ['route53:GetHostedZone', 'route53:ListResourceRecordSets'];

const key = (name: string): string => `${changeAction}${name}`;

/**
 * TXT records under names like these; `null`: under any. No UPSERT: an overwrite is impossible by policy. The conditions are on all values
 * of a request, and a request without them (`Null`) does not pass.
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
