import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { ofType, policiesOf, resolve, type Synthesized, synthesize } from './synthesized.ts';

export type Context = Simulation['request']['contextVariables'];

const fullAccess = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** The default policy of a KMS key, which lets the IAM policies of the account decide. */
const defaultKeyPolicy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' }, Action: 'kms:*', Resource: '*' },
  ],
};

/** Returns the condition keys of a request, but for one. */
export function without(keys: Context, key: string): Context {
  return Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
}

/** Returns whether the policies allow the request. Rejects actions and condition keys that IAM does not know. */
export async function simulate(simulation: Simulation): Promise<boolean> {
  const isKms = simulation.request.action.startsWith('kms:');
  const reply = await runSimulation(isKms ? withVariableKey(withKeyPolicy(simulation)) : simulation, {});
  if (reply.resultType === 'error') throw new Error(JSON.stringify(reply));
  return reply.overallResult === 'Allowed';
}

/** KMS lets identity policies decide only if the policy of the key says so. */
function withKeyPolicy({ resourcePolicy = defaultKeyPolicy, ...simulation }: Simulation): Simulation {
  return { ...simulation, resourcePolicy };
}

/**
 * The simulator finds the variable part of a condition key after a slash only, and drops `kms:EncryptionContext:SecretARN` from a request. So the
 * key in the request and the same key in policies get the name that the documentation of IAM has for all of them.
 */
function withVariableKey(simulation: Simulation): Simulation {
  const prefix = 'kms:EncryptionContext:';
  const [key, ...others] = Object.keys(simulation.request.contextVariables).filter((each) => each.startsWith(prefix));
  if (others.length > 0) throw new Error(`Only one key of an encryption context can be simulated, not also ${others}.`);
  const renamed = `${prefix}\${EncryptionContextKey}`;
  return key ? JSON.parse(JSON.stringify(simulation).replaceAll(`"${key}"`, `"${renamed}"`)) : simulation;
}

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
  return simulate({
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
  });
}

/** Asks a policy simulator whether the trust policy of the role lets the service assume it. */
export async function trusts(
  role: string,
  service: string,
  contextVariables: Context,
  { resources }: Synthesized = synthesize(),
): Promise<boolean> {
  const found = ofType(resources, 'AWS::IAM::Role').find(([id]) => id.startsWith(`Certificates${role}`));
  return simulate({
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
  });
}
