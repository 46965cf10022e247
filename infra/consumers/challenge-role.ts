import { Fn, PhysicalName, Validations } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { z } from 'zod';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import {
  challengeRecordName,
  hostedZoneFor,
  identifierProblem,
  normalizeIdentifier,
} from '../../lambdas/domain/rules/proof/names.ts';
import type { HostedZoneReference } from '../config/construct-props.ts';
import { list, readFields, readList, show, text } from '../config/fields.ts';
import { checkHostedZones, externalId, roleArn } from '../config/hosted-zones.ts';
import { type Report, withoutMistakes } from '../config/mistakes.ts';
import type { HostedZoneConfig } from '../config/perennial-config.ts';
import {
  anyChange,
  changeAction,
  chunks,
  hostedZoneArn,
  hostedZoneArnSize,
  onlyTxt,
  readActions,
} from '../resources/challenge-zones.ts';

/** Props of `ChallengeRole`. */
export interface ChallengeRoleProps {
  /**
   * ARN of the challenge function's role in the account of the `CertificateRenewal`. It is the output `ChallengeRoleArn` of that stack, or
   * `renewal.challengeRole.roleArn` within one app. May be a CDK token.
   */
  readonly trustedRole: string;
  /**
   * External id that has to be given when the role is assumed, 2 to 64 letters, digits and `_+=,.@:/-`. It has to equal `externalId` of the
   * zones in the other account's configuration.
   *
   * @default none
   */
  readonly externalId?: string;
  /** Hosted zones of this account, at least one. Ids may be CDK tokens, names may not. */
  readonly hostedZones: readonly (
    | Pick<HostedZoneConfig, 'id' | 'name' | 'challengesOnly'>
    | IHostedZone
    | Omit<HostedZoneReference, 'role' | 'externalId'>
  )[];
  /**
   * Names for which challenges may be written, in the same form as `identifiers`. Both `www.example.com` and `*.www.example.com` allow the
   * TXT record `_acme-challenge.www.example.com`, and no record below it. If a CNAME points here, give the part of its target that follows
   * `_acme-challenge.`. In zones with `challengesOnly` TXT records of any name may be written.
   *
   * @default none, which requires that every zone is `challengesOnly`
   */
  readonly names?: readonly string[];
  /**
   * Name of the role, 1 to 64 letters, digits and `_+=,.@-`.
   *
   * @default a name that CloudFormation generates
   */
  readonly roleName?: string;
}

/**
 * A role in the account of hosted zones. The `CertificateRenewal` of another account assumes it to prove control over names in these zones.
 *
 * The role trusts only the role of the challenge function. It can create and delete TXT records of exactly these names, and cannot
 * overwrite any record.
 *
 * @throws ConfigError with every mistake in the props at once
 *
 * @example
 * new ChallengeRole(stack, 'Challenges', {
 *   trustedRole: 'arn:aws:iam::111122223333:role/Perennial-ChallengeRole-AbC123',
 *   hostedZones: [zone],
 *   names: ['example.com', 'www.example.com'],
 * });
 */
export class ChallengeRole extends Construct {
  /** The role. Its ARN is `roleArn` of the zones in the other account's configuration. */
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ChallengeRoleProps) {
    super(scope, id);
    const { zones, records } = check(props);
    const { trustedRole, externalId, roleName } = props;
    this.node.setContext('@aws-cdk/aws-iam.arnSizeEstimate', hostedZoneArnSize);
    // The principal is the account, and a condition names its role. IAM stores a role as principal by its unique id, so that role would
    // have to exist first, and it would lose the trust when it is deleted and created again.
    this.role = new Role(this, 'Role', {
      description: 'Assumed by Perennial in another account, to write ACME challenges',
      assumedBy: new AccountPrincipal(Fn.select(4, Fn.split(':', trustedRole))).withConditions({
        StringEquals: {
          'aws:PrincipalArn': trustedRole,
          ...(externalId !== undefined && { 'sts:ExternalId': externalId }),
        },
      }),
      // A stack of another account can refer to this role only if its name is known at synth.
      roleName: roleName ?? PhysicalName.GENERATE_IF_NEEDED,
    });
    const allow = (actions: string[], resources: string[], conditions = {}) =>
      this.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources, conditions }));
    for (const { id, name } of zones.filter(({ challengesOnly }) => !challengesOnly))
      allow([changeAction], [hostedZoneArn(id)], onlyTxt(records.get(name) ?? []));
    const challengesOnlyZones = zones.filter(({ challengesOnly }) => challengesOnly);
    for (const resources of chunks(challengesOnlyZones.map(({ id }) => hostedZoneArn(id))))
      allow([changeAction], resources, onlyTxt(null));
    for (const resources of chunks(zones.map(({ id }) => hostedZoneArn(id)))) allow(readActions, resources);
    allow(['route53:GetChange'], [anyChange]);
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:route53:::change/*]',
      reason: 'Route 53 chooses the id of a change. Only its status can be read.',
    });
  }
}

const roleKind = {
  subject: 'ChallengeRole',
  fields: {
    trustedRole: roleArn,
    externalId,
    hostedZones: list('a list of hosted zones, IHostedZone or { id, name }').min(1, {
      error: 'at least one hosted zone',
    }),
    names: list('a list of names such as "www.example.com"').default([]),
    roleName: text(/^[\w+=,.@-]{1,64}$/, '1 to 64 letters, digits and _+=,.@-').optional(),
  },
  synonyms: { identifiers: 'names', domains: 'names', zones: 'hostedZones', trustedrolearn: 'trustedRole' },
};

/**
 * Most characters for the names of one zone, each with two quotes and a comma. A request is allowed by a single statement, so all names of
 * a zone have to be in one statement. The CDK may move the statement into a managed policy of 6,000 characters, of which the rest of the
 * statement takes about 500.
 */
const mostNameCharacters = 5_400;

interface CheckedRole {
  readonly zones: readonly HostedZone[];
  /** Names of the TXT records that may be written, by zone name. */
  readonly records: ReadonlyMap<string, readonly string[]>;
}

function check(props: ChallengeRoleProps): CheckedRole {
  return withoutMistakes((report) => {
    const fields = readFields(roleKind, props, '', report);
    const { hostedZones: zones } = checkHostedZones(fields?.hostedZones ?? [], report);
    for (const [index, { role }] of zones.entries())
      if (role) report(`hostedZones[${index}].roleArn`, 'found a role', 'expected only zones of this account');
    const { records, complete } = checkNames(fields?.names ?? [], zones, report);
    for (const [index, zone] of zones.entries()) checkZone({ zone, index, records, complete }, report);
    return { zones, records };
  });
}

const nameText = z.string({ error: 'a name such as "www.example.com"' });

/**
 * Returns the names of the TXT records by zone, and whether the zones of all names are known. Zones with `challengesOnly` need no names.
 */
function checkNames(values: readonly unknown[], zones: readonly HostedZone[], report: Report) {
  const records = new Map<string, string[]>();
  let complete = true;
  for (const [index, name] of readList(nameText, values, 'names', report).entries()) {
    if (name === undefined) {
      complete = false;
      continue;
    }
    const path = `names[${index}]`;
    const identifier = normalizeIdentifier(name);
    const problem = identifierProblem(identifier);
    const zone = hostedZoneFor(identifier, zones);
    complete &&= zone !== undefined;
    if (problem) report(path, `${show(name)} ${problem}`, 'expected a DNS name');
    // If a zone is invalid, this check is skipped, because the zone of the name cannot be determined.
    else if (!zone && zones.every((each) => each.name !== ''))
      report(path, `${show(name)} is in no hosted zone`, 'expected a name in one of hostedZones');
    else if (zone && !zone.challengesOnly)
      records.set(zone.name, [...new Set([...(records.get(zone.name) ?? []), challengeRecordName(identifier)])]);
  }
  return { records, complete };
}

interface ZoneCheck {
  readonly zone: HostedZone;
  readonly index: number;
  readonly records: CheckedRole['records'];
  /** Whether the zones of all names are known. */
  readonly complete: boolean;
}

function checkZone({ zone: { name, challengesOnly }, index, records, complete }: ZoneCheck, report: Report): void {
  const written = records.get(name) ?? [];
  const characters = written.reduce((sum, record) => sum + record.length + 3, 0);
  if (characters > mostNameCharacters) {
    const allowed = `expected at most ${mostNameCharacters}, or CNAMEs into a zone with challengesOnly`;
    report('names', `the ${written.length} names in ${name} have ${characters} characters`, allowed);
  }
  if (complete && name && written.length === 0 && !challengesOnly)
    report(`hostedZones[${index}]`, `none of names is in ${show(name)}`, 'add a name, or set challengesOnly');
}
