import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientSettings, keptWarm } from './client.ts';
import { replyOf } from './errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** How an execution ended. `error` and `cause` where it failed, `output` where it succeeded. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string;
  readonly cause?: string;
  /** Parsed. */
  readonly output?: unknown;
}

export interface StateMachines {
  /** Starts an execution of this name. One that was started before counts as started. @default an empty input */
  start(stateMachineArn: string, name: string, input?: object): Promise<void>;
  /** `null`: it runs, or has begun so lately that Step Functions does not know it yet. */
  end(executionArn: string): Promise<ExecutionEnd | null>;
}

/** Starting a workflow from outside of one, and looking for its end. */
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
