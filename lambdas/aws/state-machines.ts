import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientSettings, keptWarm } from './client.ts';
import { replyOf } from './errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

export interface StateMachines {
  /** Starts an execution of this name. One that was started before counts as started. @default an empty input */
  start(stateMachineArn: string, name: string, input?: object): Promise<void>;
}

/** Starting a workflow from outside of one. */
export function createStateMachines({ client = warmClient() }: { readonly client?: SFNClient } = {}): StateMachines {
  return {
    async start(stateMachineArn, name, input = {}) {
      await replyOf(
        { action: 'states:StartExecution', resource: `state machine ${stateMachineArn}` },
        client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })),
        { ExecutionAlreadyExists: () => null },
      );
    },
  };
}
