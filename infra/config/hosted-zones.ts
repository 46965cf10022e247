import { Token } from 'aws-cdk-lib';
import { z } from 'zod';
import type { HostedZone } from '../../lambdas/rules/contract.ts';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/rules/names.ts';
import { type Report, readFields, show, takesTokens } from './fields.ts';

const hostedZoneShape = {
  id: z
    .string({ error: 'the id of a Route 53 hosted zone' })
    .refine((id) => Token.isUnresolved(id) || /^Z[A-Z0-9]{3,31}$/.test(id), {
      error: 'the id of a Route 53 hosted zone, a Z and up to 31 capitals and digits, without /hostedzone/',
    })
    .meta(takesTokens),
  name: z.string({ error: 'the name of a hosted zone such as "example.com"' }),
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
    const { id = '', name } = readFields(hostedZoneShape, value, path, report) ?? {};
    if (id && byId.has(id))
      report(`${path}.id`, `found ${show(id)}, the id of hostedZones[${byId.get(id)}] too, allowed: each zone once`);
    byId.set(id, index);

    const zoneName = name === undefined ? undefined : checkName(name, path, report);
    const twin = zoneName === undefined ? undefined : byName.get(zoneName);
    if (twin !== undefined) {
      const allowed = 'one zone of a name: the one that its parent delegates to';
      report(`${path}.name`, `found ${show(name)}, the name of hostedZones[${twin}] too, allowed: ${allowed}`);
    } else if (zoneName !== undefined) byName.set(zoneName, index);
    // A refused zone keeps its place: indices are paths while mistakes are collected, and nothing is deployed with one.
    hostedZones.push({ id, name: zoneName ?? '' });
  }
  return { hostedZones, byName };
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
