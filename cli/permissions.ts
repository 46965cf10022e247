import type { HostedZone } from '../lambdas/domain/contract/config.ts';
import { tags } from '../lambdas/domain/contract/environment.ts';
import type { Deployment } from '../lambdas/domain/contract/report.ts';
import type { DeniedCall, RolePermissions, SimulatedCalls } from '../lambdas/domain/ports/role-permissions.ts';
import { counted } from '../lambdas/domain/rules/wording.ts';
import type { Report } from './deployment.ts';
import { type Finding, findingOf, ToFix } from './finding.ts';

/** What renewals use outside of the stack. */
export interface UsedResources {
  readonly hostedZones: readonly HostedZone[];
  /** Names of the certificates that are stored. */
  readonly names: readonly string[];
  /** Regions of ACM. */
  readonly regions: readonly string[];
}

/** Returns what the renewals of a deployment use. */
export const usedResources = ({ deployment, certificates }: Report): UsedResources => ({
  hostedZones: deployment.hostedZones,
  names: certificates.map(({ name }) => name),
  regions: [...new Set(certificates.flatMap(({ deliveries }) => deliveries.map(({ region }) => region)))],
});

/** Calls of a function. A role is not granted resources before the deployment that adds them. */
interface NeededCalls extends SimulatedCalls {
  readonly part: keyof Deployment['roles'];
  readonly isDeployed: boolean;
}

/** Certificates whose secrets are simulated. The policies of all of them are the same. */
const mostNames = 20;

/**
 * Evaluates whether the deployed roles may make the calls of a renewal, one finding for each function. The account of the ACME CA and the ledger are
 * not evaluated, because each fleet run and each registration uses them.
 *
 * @param used what the renewals will use
 * @param deployed what they use now. The next deployment grants the rest, so only a policy that denies it counts
 */
export async function permissionFindings(
  deployment: Deployment,
  used: UsedResources,
  deployed: UsedResources,
  permissions: Pick<RolePermissions, 'denied'>,
): Promise<readonly Finding[]> {
  const calls = neededCalls(deployment, used, deployed).filter(({ resources }) => resources.length > 0);
  const findings: Finding[] = [];
  for (const [part, own] of Map.groupBy(calls, (each) => each.part))
    findings.push(
      await findingOf(`permissions of ${part}`, async () => {
        const role = deployment.roles[part];
        const [denied, granted]: [DeniedCall[], DeniedCall[]] = [[], []];
        for (const { isDeployed, actions, resources, context } of own) {
          const found = await permissions.denied(role, { actions, resources, context });
          for (const call of found) (isDeployed || call.by !== 'policy' ? denied : granted).push(call);
        }
        const needed = counted(new Set(own.flatMap(({ actions }) => actions)).size, 'action');
        if (denied.length === 0 && granted.length === 0) return `its role allows the ${needed} that it needs`;
        if (denied.length === 0)
          return `its role allows the ${needed} that it needs, when this deployment has granted ${[...new Set(granted.map(({ action }) => action))].join(', ')}`;
        throw new ToFix(denials(role, denied));
      }),
    );
  return findings;
}

function neededCalls(deployment: Deployment, used: UsedResources, deployed: UsedResources): readonly NeededCalls[] {
  const { roles, region, account, secretPrefix, stack } = deployment;
  const partition = roles.challenge.split(':')[1];
  const requested = { [`aws:RequestTag/${tags.stack}`]: stack, 'aws:TagKeys': [tags.stack] };
  const tagged = { [`aws:ResourceTag/${tags.stack}`]: stack };
  const zoneArn = (id: string) => `arn:${partition}:route53:::hostedzone/${id}`;
  const secrets = used.names
    .slice(0, mostNames)
    .map((name) => `arn:${partition}:secretsmanager:${region}:${account}:secret:${secretPrefix}${name}-AbCdEf`);
  const ofZones = used.hostedZones.flatMap((zone): NeededCalls[] => {
    const { id, name, role } = zone;
    const isDeployed = deployed.hostedZones.some((each) => each.id === id && each.role?.arn === role?.arn);
    const challenge = { part: 'challenge', isDeployed, context: {} } as const;
    if (role) return [{ ...challenge, actions: ['sts:AssumeRole'], resources: [role.arn] }];
    const changes = 'route53:ChangeResourceRecordSets';
    const context = {
      [`${changes}NormalizedRecordNames`]: [`_acme-challenge.${name}`],
      [`${changes}RecordTypes`]: ['TXT'],
      [`${changes}Actions`]: ['CREATE', 'DELETE'],
    };
    return [
      { ...challenge, actions: [changes], resources: [zoneArn(id)], context },
      { ...challenge, actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], resources: [zoneArn(id)] },
    ];
  });
  const certificate = { part: 'certificate', isDeployed: true, resources: secrets } as const;
  const ofDeliveries = used.regions.flatMap((each): NeededCalls[] => {
    const delivery = { part: 'delivery', isDeployed: deployed.regions.includes(each) } as const;
    const resources = [`arn:${partition}:acm:${each}:${account}:certificate/00000000-0000-0000-0000-000000000000`];
    return [
      { ...delivery, resources, actions: ['acm:ImportCertificate', 'acm:AddTagsToCertificate'], context: requested },
      { ...delivery, resources, actions: ['acm:ImportCertificate'], context: tagged },
    ];
  });
  return [
    ...ofZones,
    {
      ...certificate,
      actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      context: requested,
    },
    {
      ...certificate,
      actions: ['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (each) => `secretsmanager:${each}`,
      ),
      context: tagged,
    },
    ...ofDeliveries,
  ];
}

const reasons: Readonly<Record<DeniedCall['by'], string>> = {
  policy: 'no policy of the role allows it',
  deny: 'a policy denies it',
  boundary: 'the permissions boundary of the role does not allow it',
  organization: 'a policy of the organization does not allow it',
};

/** Denied calls that are named. */
const named = 3;

function denials(role: string, denied: readonly DeniedCall[]): string {
  const sentences = denied
    .slice(0, named)
    .map(
      ({ action, resource, by }) => `The role ${role} may not call ${action} on ${resource}, because ${reasons[by]}.`,
    );
  const more = denied.length - named;
  return [
    ...sentences,
    ...(more > 0 ? [`${counted(more, 'other call is', 'other calls are')} denied too.`] : []),
    denied.some(({ by }) => by === 'policy')
      ? 'Deploy the stack again, or restore the policies of the role that its template has.'
      : 'Ask those who maintain this policy to allow it.',
  ].join(' ');
}
