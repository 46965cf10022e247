import { CfnOutput, Fn, PhysicalName, Validations } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { z } from 'zod';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import {
  challengeRecordName,
  hostedZoneFor,
  identifierProblem,
  normalizeIdentifier,
} from '../../lambdas/domain/rules/proof/names.ts';
import { ConfigError, type HostedZoneConfig } from '../config/check-config.ts';
import { list, type Report, readFields, readList, show, text } from '../config/fields.ts';
import { checkHostedZones, externalId, roleArn } from '../config/hosted-zones.ts';
import {
  anyChange,
  changeAction,
  chunks,
  hostedZoneArn,
  hostedZoneArnSize,
  onlyTxt,
  readActions,
} from '../resources/challenge-zones.ts';

export interface ChallengeRoleProps {
  /**
   * ARN of the challenge function's role in the account of `CertificateRenewal`: its stack's output `ChallengeRoleArn`, or
   * `renewal.challengeRole.roleArn` in one app.
   */
  readonly trustedRole: string;
  /**
   * Asked for when the role is assumed: `externalId` of the zones in the other account's config.
   *
   * @default none
   */
  readonly externalId?: string;
  /** Zones of this account. Ids may be CDK tokens, names may not. */
  readonly hostedZones: readonly Pick<HostedZoneConfig, 'id' | 'name' | 'challengesOnly'>[];
  /**
   * Names whose proofs may be written, as in `identifiers`: for `www.example.com` and for `*.www.example.com` that is the TXT record
   * `_acme-challenge.www.example.com`, and no name below it. Where a CNAME leads here: what follows `_acme-challenge.` in its target. In
   * a zone that is `challengesOnly` any TXT record may be written.
   *
   * @default none: every zone is `challengesOnly`
   */
  readonly names?: readonly string[];
  /** @default made by CloudFormation */
  readonly roleName?: string;
}

/**
 * The role in the account of the hosted zones that another account's `CertificateRenewal` assumes to prove control over names. It trusts
 * the role of the challenge function alone, and it can create and delete TXT records of exactly these names, and overwrite none.
 *
 * @throws ConfigError with every mistake of the props at once
 */
export class ChallengeRole extends Construct {
  /** Its ARN is `roleArn` of the zones in the other account's config. */
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ChallengeRoleProps) {
    super(scope, id);
    const { zones, records } = check(props);
    const { trustedRole, externalId, roleName } = props;
    this.node.setContext('@aws-cdk/aws-iam.arnSizeEstimate', hostedZoneArnSize);
    /*
     * The account is the principal and its role a condition. A role that is the principal itself is kept by its unique id: it would have to
     * exist before this one does, and made anew under its old name it would be trusted no more.
     */
    this.role = new Role(this, 'Role', {
      description: 'Assumed by Perennial in another account, to write ACME challenges',
      assumedBy: new AccountPrincipal(Fn.select(4, Fn.split(':', trustedRole))).withConditions({
        StringEquals: {
          'aws:PrincipalArn': trustedRole,
          ...(externalId !== undefined && { 'sts:ExternalId': externalId }),
        },
      }),
      // Where a stack of another account refers to it, it needs a name that is known before.
      roleName: roleName ?? PhysicalName.GENERATE_IF_NEEDED,
    });
    const allow = (actions: string[], resources: string[], conditions = {}) =>
      this.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources, conditions }));
    for (const { id, name } of zones.filter(({ challengesOnly }) => !challengesOnly))
      allow([changeAction], [hostedZoneArn(id)], onlyTxt(records.get(name) ?? []));
    const spare = zones.filter(({ challengesOnly }) => challengesOnly);
    for (const resources of chunks(spare.map(({ id }) => hostedZoneArn(id))))
      allow([changeAction], resources, onlyTxt(null));
    for (const resources of chunks(zones.map(({ id }) => hostedZoneArn(id)))) allow(readActions, resources);
    allow(['route53:GetChange'], [anyChange]);
    new CfnOutput(this, 'RoleArn', { value: this.role.roleArn });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:route53:::change/*]',
      reason: 'A change has an id that Route 53 gives it, and its state is all that can be read.',
    });
  }
}

const roleShape = {
  trustedRole: roleArn,
  externalId,
  hostedZones: list('a list of hosted zones, { id, name }'),
  names: list('a list of names such as "www.example.com"').default([]),
  roleName: text(/^[\w+=,.@-]{1,64}$/, '1 to 64 letters, digits and +=,.@-').optional(),
};

/**
 * Characters of one zone's names, each with two quotes and a comma. A request is allowed by one statement or by none, so the names of one
 * zone are together, and a statement that CDK moves has to fit into a managed policy: of its 6,000 the statement has some 500 besides.
 */
const mostNameCharacters = 5_400;

function check(props: ChallengeRoleProps): {
  readonly zones: readonly HostedZone[];
  /** Names of TXT records by zone. */
  readonly records: ReadonlyMap<string, readonly string[]>;
} {
  const mistakes: string[] = [];
  const report: Report = (path, sentence) => mistakes.push(`${path}: ${sentence}`);
  const fields = readFields(roleShape, props, '', report);
  const { hostedZones: zones } = checkHostedZones(fields?.hostedZones ?? [], report);
  if (fields?.hostedZones?.length === 0) report('hostedZones', 'found an empty list, allowed: one zone or more');
  for (const [index, { role }] of zones.entries())
    if (role) report(`hostedZones[${index}].roleArn`, 'found a role, allowed: zones of the account of this stack');

  const records = new Map<string, string[]>();
  const names = readList(z.string({ error: 'a name such as "www.example.com"' }), fields?.names, 'names', report);
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    const identifier = normalizeIdentifier(name);
    const problem = identifierProblem(identifier);
    const zone = hostedZoneFor(identifier, zones);
    if (problem) report(`names[${index}]`, `found ${show(name)}, which ${problem}, allowed: a name to be proven`);
    // What lies in a zone that could not be read, nobody knows.
    else if (!zone && zones.every((each) => each.name !== ''))
      report(`names[${index}]`, `found ${show(name)}, allowed: a name that lies in one of hostedZones`);
    else if (zone && !zone.challengesOnly)
      records.set(zone.name, [...new Set([...(records.get(zone.name) ?? []), challengeRecordName(identifier)])]);
  }
  for (const [index, { name, challengesOnly }] of zones.entries()) {
    const written = records.get(name);
    const characters = (written ?? []).reduce((sum, record) => sum + record.length + 3, 0);
    if (characters > mostNameCharacters)
      report(
        `names`,
        `found ${written?.length} in ${name}, ${characters} characters, allowed: ${mostNameCharacters}, or CNAMEs into a zone that is challengesOnly`,
      );
    if (!written && !challengesOnly && mistakes.length === 0)
      report(
        `hostedZones[${index}]`,
        `found ${show(name)}, in which none of names lies, allowed: zones with names, or challengesOnly`,
      );
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { zones, records };
}
