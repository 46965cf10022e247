import type { DeployedConfig, HostedZone } from '../lambdas/domain/contract/config.ts';
import type { OperatorChecks } from '../lambdas/domain/ports/operator-checks.ts';
import type { RolePermissions } from '../lambdas/domain/ports/role-permissions.ts';
import type { Clock } from '../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../lambdas/domain/ports/workflows.ts';
import { acmFindings } from './acm-quotas.ts';
import type { Report } from './deployment.ts';
import type { Finding } from './finding.ts';
import { permissionFindings, usedResources } from './permissions.ts';
import { importsOf, type PlannedChange } from './planned-changes.ts';
import { lastRegistration } from './registration.ts';
import { listed } from './sentences.ts';
import { zoneRoleFindings } from './zone-roles.ts';
import { type MakeZonePorts, zoneFindings } from './zones.ts';

export interface PlannedCheckPorts {
  readonly zones: MakeZonePorts;
  readonly checks: Pick<OperatorChecks, 'importedCertificates' | 'acmQuota'>;
  readonly permissions: RolePermissions;
  readonly workflows: Pick<Workflows, 'list' | 'describe'>;
  readonly clock: Clock;
}

interface Planned {
  readonly config: DeployedConfig;
  readonly changes: readonly PlannedChange[];
  /** The deployment that is changed. `null` before the first one. */
  readonly report: Report | null;
  /** Root name servers as `address:port`. Empty for those of the Internet. */
  readonly rootServers: readonly string[];
  /** Region of the stack, if it is known. */
  readonly region: string | undefined;
}

/**
 * Checks what the orders and imports of a deployment need, without an order: zones, roles, permissions and quotas of ACM. `unchecked` says what can
 * be checked only after the deployment.
 */
export async function plannedChecks(
  { config, changes, report, rootServers, region }: Planned,
  { zones, checks, permissions, workflows, clock }: PlannedCheckPorts,
  say: (text: string) => void,
): Promise<{ readonly findings: readonly Finding[]; readonly unchecked: readonly string[] }> {
  const { hostedZonesAs, dns } = zones(rootServers);
  const ordered = new Set(changes.flatMap(({ name, orderedFrom }) => (orderedFrom === null ? [] : [name])));
  const certificates = config.certificates.filter(({ name }) => ordered.has(name));
  const indexes = new Set(certificates.flatMap(({ hostedZones }) => hostedZones));
  const used = config.hostedZones.filter((zone, index) => indexes.has(index) && isKnown(zone));
  const [checkable, others] = partition(certificates, ({ hostedZones }) =>
    hostedZones.every((index) => config.hostedZones.slice(index, index + 1).every(isKnown)),
  );
  const names = checkable.map(({ name, identifiers, challengeAliases, issuers: [index = -1] }) => {
    const { name: issuer = '', challenges = [] } = config.issuers[index] ?? {};
    return { name, identifiers, ...(challengeAliases && { challengeAliases }), issuer: { name: issuer, challenges } };
  });
  // A token of the CDK that is left is the region of the credentials.
  const imports = new Map(
    [...importsOf(config, changes)].map(([each, use]) => [each.startsWith('@') ? region : each, use] as const),
  );
  const regions = [...imports].flatMap(([each, { added }]) => (each !== undefined && added > 0 ? [each] : []));
  const renewals = { hostedZones: used, names: [...ordered], regions };
  // Before the first registration the CAA identities of a CA are not known, so a CAA record that restricts CAs is a check that could not be made.
  const accounts = report ? (await lastRegistration(report, workflows)).accounts : new Map();
  const findings = [
    ...(await zoneRoleFindings(used, { hostedZonesAs, permissions })),
    ...(await zoneFindings(names, config.hostedZones.filter(isKnown), accounts, { hostedZonesAs, dns, clock }, say)),
    ...(report ? await permissionFindings(report.deployment, renewals, usedResources(report), permissions) : []),
    ...(await acmFindings(imports, checks)),
  ];
  const unchecked = [
    ...(others.length > 0
      ? [`the zones of ${listed(others.map(({ name }) => name))}, because the CDK does not know their ids yet`]
      : []),
    ...(report ? [] : ['permissions, because this deployment creates the roles of the functions']),
  ];
  return { findings, unchecked };
}

/** The CDK knows some ids only after the deployment. They begin with `@` in the configuration. */
const isKnown = ({ id, role }: HostedZone): boolean => ![id, role?.arn ?? ''].some((each) => each.startsWith('@'));

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): readonly [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
