import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Executions } from '../../../domain/ports/executions.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** Reads the state and the input of executions of the renewal workflow. */
export function createExecutions({ client = warmClient() }: { readonly client?: SFNClient } = {}): Executions {
  const describe = (executionArn: string) =>
    replyOf(
      { action: 'states:DescribeExecution', resource: `execution ${executionArn}` },
      client.send(new DescribeExecutionCommand({ executionArn })),
      {
        // Step Functions removes executions 90 days after their end.
        ExecutionDoesNotExist: () => null,
        // A lease that names no execution must not lock a certificate for ever.
        InvalidArn: () => null,
      },
    );
  return {
    async status(arn) {
      const reply = await describe(arn);
      if (reply === null) return 'unknown';
      return reply.status === 'RUNNING' || reply.status === 'PENDING_REDRIVE' ? 'live' : 'ended';
    },

    async input(arn) {
      return (await describe(arn))?.input ?? null;
    },
  };
}
