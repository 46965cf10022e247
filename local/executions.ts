import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { LocalEnvironment } from './environment.ts';

type Clients = Pick<LocalEnvironment, 'clientConfig'>;

export interface EndedExecution {
  arn: string;
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** Parsed output, or `undefined` if the execution did not succeed. */
  output: unknown;
  error: string | undefined;
  cause: string | undefined;
  seconds: number;
  history: HistoryEvent[];
  /** Number of states entered, including branches and Map items. AWS charges for each of them and for each retry. */
  transitions: number;
}

/** Starts an execution. @returns its ARN */
export async function startExecution(
  local: Clients,
  stateMachineArn: string,
  input: unknown,
  name?: string,
): Promise<string> {
  const sfn = new SFNClient(local.clientConfig);
  const started = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), ...(name && { name }) }),
  );
  return started.executionArn ?? '';
}

/** Waits until an execution has succeeded, failed, timed out or been aborted. @throws Error if it still runs after `limitSeconds` */
export async function waitForExecution(local: Clients, arn: string, limitSeconds = 240): Promise<EndedExecution> {
  const sfn = new SFNClient(local.clientConfig);
  const deadline = Date.now() + limitSeconds * 1000;
  for (;;) {
    const described = await sfn.send(new DescribeExecutionCommand({ executionArn: arn }));
    const { status, startDate, stopDate } = described;
    if (status && status !== 'RUNNING' && status !== 'PENDING_REDRIVE' && startDate && stopDate) {
      const history = await readHistory(local, arn);
      return {
        arn,
        status,
        output: described.output ? JSON.parse(described.output) : undefined,
        error: described.error,
        cause: described.cause,
        seconds: (stopDate.getTime() - startDate.getTime()) / 1000,
        history,
        transitions: history.filter((event) => event.type?.endsWith('StateEntered')).length,
      };
    }
    if (Date.now() > deadline) throw new Error(`Execution ${arn} is still ${status} after ${limitSeconds} s.`);
    await sleep(100);
  }
}

export async function readHistory(local: Clients, arn: string): Promise<HistoryEvent[]> {
  const client = new SFNClient(local.clientConfig);
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory({ client }, { executionArn: arn, maxResults: 1000 })) {
    events.push(...(page.events ?? []));
  }
  return events;
}
