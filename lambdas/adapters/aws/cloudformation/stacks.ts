import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { Stacks } from '../../../domain/ports/stacks.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new CloudFormationClient(clientSettings));

export function createStacks({ client = warmClient() }: { readonly client?: CloudFormationClient } = {}): Stacks {
  return {
    async rollsBack(stackId) {
      const { Stacks: stacks = [] } = await replyOf(
        { action: 'cloudformation:DescribeStacks', resource: `stack ${stackId}` },
        client.send(new DescribeStacksCommand({ StackName: stackId })),
      );
      return stacks.some(({ StackStatus: status }) => status?.includes('ROLLBACK'));
    },
  };
}
