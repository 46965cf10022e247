import {
  type EvaluationResult,
  IAMClient,
  type ResourceSpecificResult,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { DeniedCall, RolePermissions } from '../../../domain/ports/role-permissions.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

/** Resources of one simulation, and pages of its results. */
const mostResources = 20;
const mostPages = 20;

/** Evaluates policies with the operator's credentials. It makes none of the simulated calls. */
export function createRolePermissions(operator: {
  readonly region?: string;
  readonly profile?: string;
}): RolePermissions {
  const settings = { ...clientSettings, ...operator };
  const iam = new IAMClient(settings);
  return {
    async denied(role, { actions, resources, context }) {
      const found: DeniedCall[] = [];
      const ContextEntries = Object.entries(context).map(([ContextKeyName, value]) => ({
        ContextKeyName,
        ContextKeyValues: [value].flat(),
        ContextKeyType: typeof value === 'string' ? ('string' as const) : ('stringList' as const),
      }));
      for (let start = 0; start < resources.length; start += mostResources) {
        let marker: string | undefined;
        for (let page = 0; page < mostPages; page += 1) {
          const reply = await replyOf(
            { action: 'iam:SimulatePrincipalPolicy', resource: `role ${role}` },
            iam.send(
              new SimulatePrincipalPolicyCommand({
                PolicySourceArn: role,
                ActionNames: [...actions],
                ResourceArns: resources.slice(start, start + mostResources),
                ContextEntries,
                ...(marker && { Marker: marker }),
              }),
            ),
          );
          found.push(...(reply.EvaluationResults ?? []).flatMap(deniedCalls));
          marker = reply.Marker;
          if (!marker) break;
        }
      }
      return found;
    },

    async caller() {
      const { Arn = '' } = await replyOf(
        { action: 'sts:GetCallerIdentity', resource: 'your credentials' },
        new STSClient(settings).send(new GetCallerIdentityCommand({})),
      );
      return Arn;
    },
  };
}

/** IAM has a result for each resource only if there are several. The decision of the organization is about the action. */
function deniedCalls(result: EvaluationResult): DeniedCall[] {
  const { EvalActionName: action = '', EvalResourceName, EvalDecision, ResourceSpecificResults = [] } = result;
  const results: readonly ResourceSpecificResult[] =
    ResourceSpecificResults.length > 0
      ? ResourceSpecificResults
      : [{ ...result, EvalResourceName, EvalResourceDecision: EvalDecision }];
  return results.flatMap(
    ({ EvalResourceName: resource = '*', EvalResourceDecision, PermissionsBoundaryDecisionDetail }) => {
      if (EvalResourceDecision === 'allowed') return [];
      const inBoundary = PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary ?? true;
      const inOrganization = result.OrganizationsDecisionDetail?.AllowedByOrganizations ?? true;
      const by = !inOrganization
        ? 'organization'
        : !inBoundary
          ? 'boundary'
          : EvalResourceDecision === 'explicitDeny'
            ? 'deny'
            : 'policy';
      return [{ action, resource, by }];
    },
  );
}
