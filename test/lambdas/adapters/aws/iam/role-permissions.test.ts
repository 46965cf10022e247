import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRolePermissions } from '../../../../../lambdas/adapters/aws/iam/role-permissions.ts';
import { awsError } from '../aws-error.ts';

const [iam, sts] = [mockClient(IAMClient), mockClient(STSClient)] as const;
const permissions = createRolePermissions({ region: 'eu-west-1' });
const role = 'arn:aws:iam::111122223333:role/challenge';
const calls = { actions: ['route53:GetHostedZone'], resources: ['arn:zone'], context: {} };

beforeEach(() => {
  for (const each of [iam, sts]) each.reset();
});

describe('denied calls of a role', () => {
  test('are those that IAM does not allow, with the policy that decides, over all pages', async () => {
    const boundary = { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } };
    iam
      .on(SimulatePrincipalPolicyCommand)
      .resolvesOnce({
        EvaluationResults: [
          { EvalActionName: 'a:Allowed', EvalResourceName: 'arn:1', EvalDecision: 'allowed' },
          { EvalActionName: 'a:Missing', EvalResourceName: 'arn:1', EvalDecision: 'implicitDeny' },
          { EvalActionName: 'a:Bounded', EvalResourceName: 'arn:1', EvalDecision: 'implicitDeny', ...boundary },
        ],
        IsTruncated: true,
        Marker: '1',
      })
      .resolvesOnce({
        EvaluationResults: [
          {
            ...{ EvalActionName: 'a:Several', EvalDecision: 'explicitDeny' },
            ResourceSpecificResults: [
              { EvalResourceName: 'arn:1', EvalResourceDecision: 'allowed' },
              { EvalResourceName: 'arn:2', EvalResourceDecision: 'explicitDeny' },
            ],
          },
          {
            ...{ EvalActionName: 'a:Organization', EvalResourceName: 'arn:1', EvalDecision: 'implicitDeny' },
            OrganizationsDecisionDetail: { AllowedByOrganizations: false },
          },
        ],
      });
    expect(await permissions.denied(role, calls)).toEqual([
      { action: 'a:Missing', resource: 'arn:1', by: 'policy' },
      { action: 'a:Bounded', resource: 'arn:1', by: 'boundary' },
      { action: 'a:Several', resource: 'arn:2', by: 'deny' },
      { action: 'a:Organization', resource: 'arn:1', by: 'organization' },
    ]);
  });

  test('are evaluated for twenty resources at a time, with the types of the condition keys', async () => {
    iam.on(SimulatePrincipalPolicyCommand).resolves({});
    const resources = Array.from({ length: 21 }, (_, index) => `arn:${index}`);
    await permissions.denied(role, { ...calls, resources, context: { one: 'a', several: ['a', 'b'] } });
    const inputs = iam.commandCalls(SimulatePrincipalPolicyCommand).map(({ args }) => args[0].input);
    expect(inputs.map(({ ResourceArns }) => ResourceArns?.length)).toEqual([20, 1]);
    expect(inputs[0]?.ContextEntries).toEqual([
      { ContextKeyName: 'one', ContextKeyValues: ['a'], ContextKeyType: 'string' },
      { ContextKeyName: 'several', ContextKeyValues: ['a', 'b'], ContextKeyType: 'stringList' },
    ]);
  });

  test('need a permission of the operator, which the error names', async () => {
    iam.on(SimulatePrincipalPolicyCommand).rejects(awsError('AccessDenied'));
    await expect(permissions.denied(role, calls)).rejects.toMatchObject({
      fields: { action: 'iam:SimulatePrincipalPolicy', resource: `role ${role}` },
    });
  });
});

test('the caller is the operator', async () => {
  sts.on(GetCallerIdentityCommand).resolves({ Arn: 'arn:aws:iam::111122223333:user/ann' });
  expect(await permissions.caller()).toBe('arn:aws:iam::111122223333:user/ann');
});
