import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { z } from 'zod';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';
import { type Fields, flag, type Report, readFields, show, takesTokens, text } from './fields.ts';

const rolePattern = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;
const allowedRole = 'the ARN of an IAM role, arn:aws:iam::<account>:role/<name>';
export const roleArn = z
  .string({ error: allowedRole })
  .refine((arn) => Token.isUnresolved(arn) || rolePattern.test(arn), { error: allowedRole })
  .meta(takesTokens);
// STS takes 1,224 characters. That of each zone stands in the state of an execution, which has 256 KB for 300 zones and all else.
export const externalId = text(/^[\w+=,.@:/-]{2,64}$/, '2 to 64 letters, digits and +=,.@:/-').optional();

/** What `HostedZone.fromLookup` gives until the CDK has looked: synth is then run once more. */
const notLookedUp = 'DUMMY';

const hostedZoneShape = {
  id: z
    .string({ error: 'the id of a Route 53 hosted zone' })
    .refine((id) => Token.isUnresolved(id) || id === notLookedUp || /^Z[A-Z0-9]{3,31}$/.test(id), {
      error: 'the id of a Route 53 hosted zone, a Z and up to 31 capitals and digits, without /hostedzone/',
    })
    .meta(takesTokens),
  name: z.string({ error: 'the name of a hosted zone such as "example.com"' }),
  roleArn: roleArn.optional().meta(takesTokens),
  externalId,
  challengesOnly: flag.default(false),
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
      report(`${path}.externalId`, 'found an external id without a role, allowed: one beside roleArn');
    if (id && id !== notLookedUp && byId.has(id))
      report(`${path}.id`, `found ${show(id)}, the id of hostedZones[${byId.get(id)}] too, allowed: each zone once`);
    byId.set(id, index);

    const zoneName = name === undefined ? undefined : checkName(name, path, report);
    const twin = zoneName === undefined ? undefined : byName.get(zoneName);
    if (twin !== undefined) {
      const allowed = 'one zone of a name: the one that its parent delegates to';
      report(`${path}.name`, `found ${show(name)}, the name of hostedZones[${twin}] too, allowed: ${allowed}`);
    } else if (zoneName !== undefined) byName.set(zoneName, index);
    // A refused zone keeps its place: indices are paths while mistakes are collected, and nothing is deployed with one.
    hostedZones.push({
      id,
      name: zoneName ?? '',
      ...(role !== undefined && { role: { arn: role, ...(externalId !== undefined && { externalId }) } }),
      ...(challengesOnly && { challengesOnly }),
    });
  }
  return { hostedZones, byName };
}

function readHostedZone(value: unknown, path: string, report: Report): Fields<typeof hostedZoneShape> {
  if (!Construct.isConstruct(value)) return readFields(hostedZoneShape, value, path, report) ?? {};
  report(path, "found a construct, allowed: { id: zone.hostedZoneId, name: 'example.com' }");
  return {};
}

/** A zone may be the delegated `_acme-challenge.example.com` alone: the one label with an underscore that matters here. */
function checkName(name: string, path: string, report: Report): string | undefined {
  const zoneName = normalizeIdentifier(name);
  const problem = zoneName.startsWith('*')
    ? 'is a wildcard'
    : identifierProblem(zoneName.replace(/^_acme-challenge\./, ''));
  if (problem === null) return zoneName;
  report(`${path}.name`, `found ${show(name)}, which ${problem}, allowed: the name of a public hosted zone`);
  return undefined;
}
