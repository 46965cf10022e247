import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { type HistoryEvent, paginateListExecutions, paginateListStateMachines, SFNClient } from '@aws-sdk/client-sfn';
import type { CertificateRenewalFailed } from '../../lambdas/domain/contract/events.ts';
import type { LocalEnvironment } from '../environment.ts';
import { type EndedExecution, readHistory, waitForExecution } from '../executions.ts';
import type { Failure } from './facts.ts';

export interface Workflows {
  readonly fleet: string;
  readonly renewal: string;
}

/** A state that does something or waits, in the order they were entered; choices and the like are left out. */
export interface VisitedState {
  readonly name: string;
  /** Seconds after the start of the execution. */
  readonly at: number;
}

export interface Renewal extends EndedExecution {
  readonly certificate: string;
  readonly states: readonly VisitedState[];
}

/** A renewal failed or did not end in time. */
export class RenewalFailedError extends Error {
  override name = 'RenewalFailedError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(
      `The renewal of ${failure.name} failed after ${failure.seconds.toFixed(1)} s: ${failure.error}\n${failure.cause}`,
    );
    this.failure = failure;
  }
}

/** Histories read a second, all certificates together: each state is seen, and the local Step Functions have time for their work. */
const READS_PER_SECOND = 20;
/** Far above what a hundred certificates take with Pebble's chaos, which sleeps up to five seconds for each name. */
const LIMIT_S = 600;

/** The ARNs of both workflows, once they are deployed. */
export async function findWorkflows(local: LocalEnvironment): Promise<Workflows | undefined> {
  const client = new SFNClient(local.clientConfig);
  const arns: string[] = [];
  for await (const { stateMachines = [] } of paginateListStateMachines({ client }, {}))
    arns.push(...stateMachines.map(({ stateMachineArn = '' }) => stateMachineArn));
  const fleet = arns.find((arn) => arn.endsWith('-fleet'));
  const renewal = arns.find((arn) => arn.endsWith('-renewal'));
  return fleet && renewal ? { fleet, renewal } : undefined;
}

/** ARNs of all executions of a workflow, the latest first. */
export async function executionsOf(local: LocalEnvironment, stateMachineArn: string): Promise<string[]> {
  const client = new SFNClient(local.clientConfig);
  const arns: string[] = [];
  for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn }))
    arns.push(...executions.map(({ executionArn = '' }) => executionArn));
  return arns;
}

/** The certificate that a fleet run started this execution for: its name and three hashes of 8 make the execution's. */
export const certificateOf = (execution: string): string =>
  (execution.split(':').at(-1) ?? '').replace(/(-[0-9a-z]{8}){3}$/, '');

export interface WatchOptions {
  readonly certificate: string;
  /** How many are watched at once. */
  readonly among: number;
  /** Ends the watch, with its reason. */
  readonly signal: AbortSignal;
  /** All states so far, and those entered since the last call. */
  readonly onState: (states: readonly VisitedState[], entered: readonly VisitedState[]) => void;
}

/** Watches the renewal of a certificate from before it is deployed to its end. @throws RenewalFailedError */
export async function watchRenewal(local: LocalEnvironment, options: WatchOptions): Promise<Renewal> {
  const { certificate, onState } = options;
  const execution = await poll(options, async () => {
    const workflows = await findWorkflows(local);
    const executions = workflows ? await executionsOf(local, workflows.renewal) : [];
    return executions.find((arn) => certificateOf(arn) === certificate);
  });
  let seen = 0;
  await poll(options, async () => {
    const history = await readHistory(local, execution);
    const states = visitedStates(history);
    if (states.length > seen) onState(states, states.slice(seen));
    seen = states.length;
    // The first wait takes a minute, which a passing problem survives. The second one takes ten minutes.
    if (states.filter(({ name }) => name === 'Wait for next attempt').length > 1)
      throw await waitingForNextAttempt(local, { certificate, execution, seconds: states.at(-1)?.at ?? 0 });
    return history.at(-1)?.type?.match(/^Execution(Succeeded|Failed|TimedOut|Aborted)$/) ?? undefined;
  });
  const ended = await waitForExecution(local, execution);
  const states = visitedStates(ended.history);
  if (ended.status === 'SUCCEEDED') return { certificate, states, ...ended };
  const { status, seconds, error = status, cause = 'No cause was given.' } = ended;
  throw new RenewalFailedError({ name: certificate, seconds, error, cause, execution });
}

async function poll<T>({ certificate, among, signal }: WatchOptions, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + LIMIT_S * 1000;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const found = await check();
    if (found !== undefined) return found;
    await sleep((among * 1000) / READS_PER_SECOND);
  }
  const cause = 'The demo stopped waiting. Look at the execution in the renewal workflow.';
  throw new RenewalFailedError({ name: certificate, seconds: LIMIT_S, error: 'Timeout', cause, execution: null });
}

/** Returns the failure of a renewal that waits, from the event that it published. */
async function waitingForNextAttempt(
  local: LocalEnvironment,
  { certificate, execution, seconds }: { certificate: string; execution: string; seconds: number },
): Promise<RenewalFailedError> {
  const failed = (await local.aws.busEvents())
    .filter(({ detailType }) => detailType === 'Certificate Renewal Failed')
    .map(({ detail }) => detail as CertificateRenewalFailed)
    .findLast((each) => each.execution === execution);
  const { error = 'UnexpectedError', cause = 'No cause was given.', nextAttempt = '' } = failed ?? {};
  return new RenewalFailedError({
    ...{ name: certificate, seconds, error, execution },
    cause: `${cause}\nThe execution waits until ${nextAttempt} for its next attempt.`,
  });
}

function visitedStates(history: readonly HistoryEvent[]): VisitedState[] {
  const start = history[0]?.timestamp?.getTime() ?? 0;
  return history.flatMap(({ type, timestamp, stateEnteredEventDetails: entered }) =>
    (type === 'TaskStateEntered' || type === 'WaitStateEntered') && entered?.name && timestamp
      ? [{ name: entered.name, at: (timestamp.getTime() - start) / 1000 }]
      : [],
  );
}

/** Returns the time at which each certificate is renewed next, from the ledger of the deployed stack. */
export async function renewalTimes(local: LocalEnvironment): Promise<ReadonlyMap<string, string>> {
  const client = new DynamoDBClient(local.clientConfig);
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const times = new Map<string, string>();
  for (const TableName of TableNames)
    for await (const { Items = [] } of paginateScan({ client }, { TableName }))
      for (const { id, renewalTime } of Items)
        if (id?.S && renewalTime?.S) times.set(id.S.replace('certificate#', ''), renewalTime.S);
  return times;
}
