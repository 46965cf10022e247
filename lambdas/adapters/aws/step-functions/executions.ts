import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionDescription, Executions } from '../../../domain/ports/executions.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

type Status = ExecutionDescription['status'];

const warmClient = keptWarm(() => new SFNClient(clientSettings));

/** Describes executions of the renewal and accounts workflows. */
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

    async describe(arn) {
      const reply = await describe(arn);
      return reply && { status: reply.status as Status, error: reply.error ?? null, input: reply.input ?? '' };
    },
  };
}
