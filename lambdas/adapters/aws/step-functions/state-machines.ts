import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { StateMachines } from '../../../domain/ports/state-machines.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** Pages of a list of running executions, with 1,000 each. */
const longestList = 100;

/** Starts and stops executions of workflows, and reads how they ended. */
export function createStateMachines({ client = warmClient() }: { readonly client?: SFNClient } = {}): StateMachines {
  return {
    async start(stateMachineArn, name, input = {}) {
      await replyOf(
        { action: 'states:StartExecution', resource: `state machine ${stateMachineArn}` },
        client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })),
        { ExecutionAlreadyExists: () => null },
      );
    },

    async running(stateMachineArn) {
      const found: string[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < longestList; page += 1) {
        const input = { stateMachineArn, statusFilter: 'RUNNING' as const, maxResults: 1000 };
        const reply = await replyOf(
          { action: 'states:ListExecutions', resource: `state machine ${stateMachineArn}` },
          client.send(new ListExecutionsCommand({ ...input, ...(nextToken && { nextToken }) })),
          { StateMachineDoesNotExist: () => null },
        );
        found.push(...(reply?.executions ?? []).flatMap(({ executionArn }) => executionArn ?? []));
        nextToken = reply?.nextToken;
        if (!nextToken) break;
      }
      return found;
    },

    async stop(executionArn, cause) {
      await replyOf(
        { action: 'states:StopExecution', resource: `execution ${executionArn}` },
        client.send(new StopExecutionCommand({ executionArn, cause })),
        // ValidationException: the execution has ended since it was listed.
        { ExecutionDoesNotExist: () => null, ValidationException: () => null },
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
