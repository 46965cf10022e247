import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  SFNClient,
  type SFNClientConfig,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { EnteredState, WorkflowExecution, Workflows } from '../../../domain/ports/workflows.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

/** Pages of 1,000 executions that are searched for those of one certificate. */
const mostPages = 5;

/** Pages of 1,000 events of one execution. Step Functions keeps at most 25,000. */
const mostHistoryPages = 25;

/** Types of events of a task that has failed, or whose arguments or output could not be evaluated. */
const failedTask = /^(?:(?:Task|LambdaFunction)\w*(?:Failed|TimedOut)|EvaluationFailed)$/;

/** Returns the name of the error in an event. Its details are in the field that is named after the type, such as `taskFailedEventDetails`. */
function errorOf({ type, ...event }: HistoryEvent): string {
  const details = Object.entries(event).find(([field]) => field.toLowerCase() === `${type}EventDetails`.toLowerCase());
  return (details?.[1] as { readonly error?: string } | undefined)?.error ?? String(type);
}

/** Starts and watches executions with the operator's region and credentials. */
export function createWorkflows(settings: Pick<SFNClientConfig, 'region' | 'profile'>): Workflows {
  const sfn = new SFNClient({ ...clientSettings, ...settings });
  return {
    async start(stateMachineArn, name, input) {
      const { executionArn = '' } = await replyOf(
        { action: 'states:StartExecution', resource: `workflow ${stateMachineArn}` },
        sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })),
      );
      return executionArn;
    },

    async describe(executionArn) {
      const reply = await replyOf(
        { action: 'states:DescribeExecution', resource: `execution ${executionArn}` },
        sfn.send(new DescribeExecutionCommand({ executionArn })),
      );
      return {
        arn: executionArn,
        status: reply.status as WorkflowExecution['status'],
        start: (reply.startDate ?? new Date(0)).toISOString(),
        end: reply.stopDate?.toISOString() ?? null,
        error: reply.error ?? null,
        cause: reply.cause ?? null,
        input: reply.input ?? '',
        output: reply.output ?? null,
      };
    },

    async list(stateMachineArn, prefix) {
      const found: string[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'states:ListExecutions', resource: `workflow ${stateMachineArn}` },
          sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1000, ...(nextToken && { nextToken }) })),
        );
        for (const { name = '', executionArn } of reply.executions ?? [])
          if (executionArn && name.startsWith(prefix)) found.push(executionArn);
        nextToken = reply.nextToken;
        if (!nextToken) break;
      }
      return found;
    },

    async states(executionArn) {
      const states: EnteredState[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < mostHistoryPages; page += 1) {
        const reply = await replyOf(
          { action: 'states:GetExecutionHistory', resource: `execution ${executionArn}` },
          sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, ...(nextToken && { nextToken }) })),
        );
        for (const event of reply.events ?? []) {
          const { type = '', stateEnteredEventDetails, timestamp } = event;
          if (stateEnteredEventDetails?.name)
            states.push({ name: stateEnteredEventDetails.name, at: (timestamp ?? new Date(0)).toISOString() });
          const last = states.at(-1);
          if (last && failedTask.test(type)) states[states.length - 1] = { ...last, failed: errorOf(event) };
        }
        nextToken = reply.nextToken;
        if (!nextToken) break;
      }
      return states;
    },
  };
}
