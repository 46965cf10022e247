import { Aws } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HostedZone } from '../lambdas/rules/contract.ts';
import type { WorkflowFunction } from './workflow-function.ts';

/** The longest ARN of a hosted zone: `arn:aws-us-gov:route53:::hostedzone/` and an id of 32 characters. */
export const hostedZoneArnSize = 36 + 32;

/**
 * IAM takes 10,240 characters of inline policies for a role, 6,144 for a managed policy and 10 of those. CDK fills 10,000 and 6,000,
 * and moves statements, not parts of them. 35 zones at 68 + 3 for quotes and comma are 2,485, and with the two statements' own 480
 * and 100 a pair is 5,550: one managed policy. So 300 zones are an inline policy and 8 managed ones.
 */
const zonesPerStatement = 35;

/** The hosted zones that proofs are written into. The zones themselves belong to somebody else. */
export class ChallengeZones extends Construct {
  private readonly zones: readonly HostedZone[];

  constructor(scope: Construct, id: string, zones: readonly HostedZone[]) {
    super(scope, id);
    this.zones = zones;
  }

  /**
   * TXT records under `_acme-challenge` in these zones, and nothing else. No UPSERT: an overwrite is impossible by policy.
   * The conditions are on all values of a request, and a request without them (`Null`) does not pass.
   * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
   */
  grantChallenges(grantee: WorkflowFunction): void {
    const arns = this.zones.map(({ id }) => `arn:${Aws.PARTITION}:route53:::hostedzone/${id}`);
    for (let first = 0; first < arns.length; first += zonesPerStatement) {
      const resources = arns.slice(first, first + zonesPerStatement);
      grantee.allow({ actions: ['route53:ChangeResourceRecordSets'], resources, conditions: onlyChallenges });
      grantee.allow({ actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], resources });
    }
    grantee.allow(
      { actions: ['route53:GetChange'], resources: [`arn:${Aws.PARTITION}:route53:::change/*`] },
      'A change has an id that Route 53 gives it, and its state is all that can be read.',
    );
  }
}

const key = (name: string): string => `route53:ChangeResourceRecordSets${name}`;
const onlyChallenges = {
  'ForAllValues:StringEquals': { [key('RecordTypes')]: ['TXT'], [key('Actions')]: ['CREATE', 'DELETE'] },
  'ForAllValues:StringLike': { [key('NormalizedRecordNames')]: ['_acme-challenge.*'] },
  Null: { [key('RecordTypes')]: 'false', [key('Actions')]: 'false', [key('NormalizedRecordNames')]: 'false' },
};
