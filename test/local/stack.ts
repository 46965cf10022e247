import { randomBytes } from 'node:crypto';
import type { LocalEnvironment } from '../../local/environment.ts';
import { startExecution, waitForExecution } from '../../local/executions.ts';
import { applyStack } from '../../local/stacks.ts';

/** Creates a stack with these resources. @returns the value of `Ref` for each resource, by logical id */
export async function createStack(
  local: Pick<LocalEnvironment, 'clientConfig'>,
  name: string,
  resources: Record<string, object>,
): Promise<Record<string, string>> {
  const outputs = Object.fromEntries(Object.keys(resources).map((id) => [id, { Value: { Ref: id } }]));
  return applyStack(local, name, { TemplateBody: JSON.stringify({ Resources: resources, Outputs: outputs }) });
}

export const allow = (Action: string | string[], Resource: unknown = '*') => ({ Effect: 'Allow', Action, Resource });

export const role = (service: string, ...Statement: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    },
    Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement } }],
  },
});

/** Returns the resource of a Node.js function with this CommonJS source. */
export const lambdaFunction = (name: string, roleId: string, code: string, variables: Record<string, string> = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Timeout: 10,
    Role: { 'Fn::GetAtt': [roleId, 'Arn'] },
    Code: { ZipFile: code },
    Environment: { Variables: variables },
  },
});

/** Returns the resource of a state machine with one state. */
export const stateMachine = (roleId: string, state: object) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    RoleArn: { 'Fn::GetAtt': [roleId, 'Arn'] },
    DefinitionString: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'Only', States: { Only: state } }),
  },
});

/** Returns the credentials of a function whose role has this policy statement. */
export async function credentialsOf(
  local: Pick<LocalEnvironment, 'clientConfig'>,
  statement: object,
): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const code = `exports.handler = async () => ({
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  });`;
  const name = `Caller-${randomBytes(4).toString('hex')}`;
  const { Machine = '' } = await createStack(local, name, {
    CallerRole: role('lambda.amazonaws.com', statement),
    MachineRole: role('states.amazonaws.com', allow('lambda:InvokeFunction')),
    Caller: lambdaFunction(name, 'CallerRole', code),
    Machine: stateMachine('MachineRole', {
      Type: 'Task',
      Resource: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      End: true,
    }),
  });
  const { output } = await waitForExecution(local, await startExecution(local, Machine, {}));
  return output as { accessKeyId: string; secretAccessKey: string };
}
