import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  CreateStackCommand,
  type CreateStackCommandInput,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  type Stack,
  type StackEvent,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import type { LocalEnvironment } from './environment.ts';

type Clients = Pick<LocalEnvironment, 'clientConfig'>;
type Template = Pick<CreateStackCommandInput, 'TemplateBody'> | Pick<CreateStackCommandInput, 'TemplateURL'>;

const POLL_MS = 50;
/** Time limit of a deployment. One that waits for a certificate takes half a minute in the local environment. */
const LIMIT_MS = 240_000;

/**
 * Creates or updates a stack and waits until that has ended, as `cdk deploy --method=direct` does.
 *
 * @returns the outputs
 * @throws Error with the reasons from CloudFormation
 */
export async function applyStack(
  local: Clients,
  name: string,
  template: Template,
): Promise<Readonly<Record<string, string>>> {
  const client = new CloudFormationClient(local.clientConfig);
  let before = await findStack(client, name);
  // CloudFormation cannot update a stack whose creation has failed.
  if (before?.StackStatus === 'ROLLBACK_COMPLETE') {
    await deleteStack(local, name);
    before = undefined;
  }
  const input = { StackName: name, ...template, Capabilities: ['CAPABILITY_NAMED_IAM' as const] };
  try {
    await client.send(before ? new UpdateStackCommand(input) : new CreateStackCommand(input));
  } catch (error) {
    if (!String(error).includes('No updates are to be performed')) throw error;
  }
  const { StackStatus = '', Outputs = [] } = (await settled(client, name)) ?? {};
  if (!['CREATE_COMPLETE', 'UPDATE_COMPLETE'].includes(StackStatus))
    throw new Error(`Stack ${name} is ${StackStatus}:\n${(await failureReasons(local, name)).join('\n')}`);
  return Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
}

export async function deleteStack(local: Clients, name: string): Promise<void> {
  const client = new CloudFormationClient(local.clientConfig);
  await client.send(new DeleteStackCommand({ StackName: name }));
  const left = await settled(client, name);
  if (left) throw new Error(`Stack ${name} could not be deleted. It is ${left.StackStatus}.`);
}

/** Waits until no change of the stack is in progress. @returns the stack, or `undefined` if it does not exist */
async function settled(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const stack = await findStack(client, name);
    if (!stack?.StackStatus?.endsWith('_IN_PROGRESS')) return stack;
  }
  throw new Error(`Stack ${name} is still in progress after ${LIMIT_MS / 1000} s.`);
}

async function findStack(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE');
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}

/** Returns the reasons why resources failed in the latest change of a stack, newest first. */
async function failureReasons(local: Clients, name: string): Promise<readonly string[]> {
  const client = new CloudFormationClient(local.clientConfig);
  const reasons: string[] = [];
  const begins = ({ ResourceType: type, ResourceStatus: status }: StackEvent) =>
    type === 'AWS::CloudFormation::Stack' && (status === 'CREATE_IN_PROGRESS' || status === 'UPDATE_IN_PROGRESS');
  for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: name }))
    for (const event of StackEvents) {
      if (begins(event)) return reasons;
      if (event.ResourceStatus?.endsWith('_FAILED'))
        reasons.push(`${event.LogicalResourceId} ${event.ResourceStatus}: ${event.ResourceStatusReason}`);
    }
  return reasons;
}
