import { Token } from 'aws-cdk-lib';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { z } from 'zod';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';
import { type Fields, flag, readFields, show, takesTokens, text, textOrToken } from './fields.ts';
import type { Report } from './mistakes.ts';
import { isZone, orRole, readZone, type ZoneReference } from './references.ts';

export const roleArn = textOrToken(
  /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
  'the ARN of an IAM role, arn:aws:iam::<account>:role/<name>',
);
// STS allows 1,224 characters. An execution's state has 256 KB, and it holds the external ids of up to 300 zones.
export const externalId = text(/^[\w+=,.@:/-]{2,64}$/, '2 to 64 letters, digits and _+=,.@:/-').optional();

/** The id that `HostedZone.fromLookup` returns until the CDK has looked up the zone. The CDK then synthesizes again. */
const notLookedUp = 'DUMMY';

const allowedId = 'the id of a Route 53 hosted zone, Z and up to 31 capital letters and digits, without /hostedzone/';
const hostedZoneKind = {
  subject: 'a hosted zone',
  fields: {
    id: z
      .string({ error: allowedId })
      .refine((id) => Token.isUnresolved(id) || id === notLookedUp || /^Z[A-Z0-9]{3,31}$/.test(id), {
        error: allowedId,
      })
      .meta(takesTokens),
    name: z.string({ error: 'the name of a hosted zone such as "example.com"' }),
    roleArn: roleArn.optional().meta(takesTokens),
    externalId,
    challengesOnly: flag.default(false),
  },
  synonyms: {
    hostedzoneid: 'id',
    zoneid: 'id',
    domain: 'name',
    domainname: 'name',
    zonename: 'name',
    role: 'roleArn',
  },
};

const zoneReferenceKind = {
  subject: 'a hosted zone',
  fields: {
    zone: z.custom<IHostedZone>(isZone, { error: 'a hosted zone of aws-cdk-lib/aws-route53' }),
    role: orRole(roleArn).optional().meta(takesTokens),
    externalId,
    challengesOnly: flag.default(false),
  },
  synonyms: { hostedzone: 'zone', rolearn: 'role' },
};

export interface CheckedHostedZones {
  readonly hostedZones: readonly HostedZone[];
  /** Index in `hostedZones` by zone name. */
  readonly byName: ReadonlyMap<string, number>;
}

export function checkHostedZones(values: readonly unknown[], report: Report): CheckedHostedZones {
  const hostedZones: HostedZone[] = [];
  const byName = new Map<string, number>();
  const byId = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const path = `hostedZones[${index}]`;
    const { id = '', name, roleArn: role, externalId, challengesOnly } = readHostedZone(value, path, report);
    if (externalId !== undefined && role === undefined)
      report(`${path}.externalId`, 'found an external id without a role', 'set roleArn too, or remove it');
    if (id && id !== notLookedUp && byId.has(id))
      report(`${path}.id`, `duplicate id ${show(id)} (also hostedZones[${byId.get(id)}])`, 'list each zone once');
    byId.set(id, index);

    const zoneName = name === undefined ? undefined : checkName(name, path, report);
    const same = zoneName === undefined ? undefined : byName.get(zoneName);
    if (same !== undefined) {
      const problem = `duplicate name ${show(name)} (also hostedZones[${same}])`;
      report(`${path}.name`, problem, 'list only the zone that the parent zone delegates to');
    } else if (zoneName !== undefined) byName.set(zoneName, index);
    // A rejected zone stays in the list, because its index is part of the paths in other mistakes. It is never deployed.
    hostedZones.push({
      id,
      name: zoneName ?? '',
      ...(role !== undefined && { role: { arn: role, ...(externalId !== undefined && { externalId }) } }),
      ...(challengesOnly && { challengesOnly }),
    });
  }
  return { hostedZones, byName };
}

function readHostedZone(value: unknown, path: string, report: Report): Fields<typeof hostedZoneKind.fields> {
  if (isZone(value)) return readReference(value, path, report);
  if (Construct.isConstruct(value)) {
    report(path, 'found a construct', 'expected an IHostedZone, { zone, role, challengesOnly }, or { id, name }');
    return {};
  }
  if (typeof value !== 'object' || value === null || !('zone' in value))
    return readFields(hostedZoneKind, value, path, report) ?? {};
  const { zone, role, ...fields } = readFields(zoneReferenceKind, value, path, report) ?? {};
  const reference = zone && readReference(zone, `${path}.zone`, report);
  return { ...reference, ...fields, ...(role !== undefined && { roleArn: role }) };
}

function readReference(zone: IHostedZone, path: string, report: Report): Partial<ZoneReference> {
  const read = readZone(zone);
  if ('id' in read) return read;
  report(path, ...read);
  return {};
}

/** Returns the normalised zone name. The zone may be a delegated `_acme-challenge.example.com`, whose first label has an underscore. */
function checkName(name: string, path: string, report: Report): string | undefined {
  const zoneName = normalizeIdentifier(name);
  const problem = zoneName.startsWith('*')
    ? 'is a wildcard'
    : identifierProblem(zoneName.replace(/^_acme-challenge\./, ''));
  if (problem === null) return zoneName;
  report(`${path}.name`, `${show(name)} ${problem}`, 'expected the name of a public hosted zone');
  return undefined;
}
