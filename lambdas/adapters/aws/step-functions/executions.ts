import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Executions } from '../../../domain/ports/executions.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** Reads whether the execution that holds a lease is running. */
export function createExecutions({ client = warmClient() }: { readonly client?: SFNClient } = {}): Executions {
  return {
    async status(arn) {
      const reply = await replyOf(
        { action: 'states:DescribeExecution', resource: `execution ${arn}` },
        client.send(new DescribeExecutionCommand({ executionArn: arn })),
        {
          // Step Functions removes executions 90 days after their end.
          ExecutionDoesNotExist: () => null,
          // A lease that names no execution must not lock a certificate for ever.
          InvalidArn: () => null,
        },
      );
      if (reply === null) return 'unknown';
      return reply.status === 'RUNNING' || reply.status === 'PENDING_REDRIVE' ? 'live' : 'ended';
    },
  };
}
