import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { ofType, policiesOf, resolve, type Synthesized, synthesize } from './synthesized.ts';

type Context = Simulation['request']['contextVariables'];

const fullAccess = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Asks a policy simulator whether the policies of the role allow this. It rejects actions and condition keys that IAM does not know. */
export async function allows(
  role: string,
  action: string,
  resource: string,
  contextVariables: Context = {},
  stack: Synthesized = synthesize(),
  scps: readonly object[] = [],
): Promise<boolean> {
  const { inline, managed } = policiesOf(`Certificates${role}`, stack);
  const reply = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::123456789012:role/${role}`,
        action,
        resource: { resource, accountId: '123456789012' },
        contextVariables,
      },
      identityPolicies: [...inline, ...managed].map((policy, index) => ({ name: `policy-${index}`, policy })),
      serviceControlPolicies: scps.map((policy, index) => ({
        orgIdentifier: `ou-${index}`,
        policies: [
          { name: 'FullAWSAccess', policy: fullAccess },
          { name: `scp-${index}`, policy },
        ],
      })),
      resourceControlPolicies: [],
    },
    {},
  );
  if (reply.resultType === 'error') throw new Error(JSON.stringify(reply));
  return reply.overallResult === 'Allowed';
}

/** Asks a policy simulator whether the trust policy of the role lets the service assume it. */
export async function trusts(role: string, service: string, contextVariables: Context): Promise<boolean> {
  const { resources } = synthesize();
  const found = ofType(resources, 'AWS::IAM::Role').find(([id]) => id.startsWith(`Certificates${role}`));
  const reply = await runSimulation(
    {
      request: {
        principal: service,
        action: 'sts:AssumeRole',
        resource: { resource: `arn:aws:iam::123456789012:role/${role}`, accountId: '123456789012' },
        contextVariables,
      },
      identityPolicies: [],
      resourcePolicy: resolve(found?.[1].Properties.AssumeRolePolicyDocument, resources),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (reply.resultType === 'error') throw new Error(JSON.stringify(reply));
  return reply.overallResult === 'Allowed';
}
