import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { StateMachines } from '../../../domain/ports/state-machines.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** Starts workflows and reads how their executions ended. */
export function createStateMachines({ client = warmClient() }: { readonly client?: SFNClient } = {}): StateMachines {
  return {
    async start(stateMachineArn, name, input = {}) {
      await replyOf(
        { action: 'states:StartExecution', resource: `state machine ${stateMachineArn}` },
        client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })),
        { ExecutionAlreadyExists: () => null },
      );
    },

    async end(executionArn) {
      const reply = await replyOf(
        { action: 'states:DescribeExecution', resource: `execution ${executionArn}` },
        client.send(new DescribeExecutionCommand({ executionArn })),
        { ExecutionDoesNotExist: () => null },
      );
      const { status, error, cause, output } = reply ?? {};
      if (status === undefined || status === 'RUNNING' || status === 'PENDING_REDRIVE') return null;
      return {
        status,
        ...(error !== undefined && { error }),
        ...(cause !== undefined && { cause }),
        ...(output !== undefined && { output: JSON.parse(output) as unknown }),
      };
    },
  };
}
