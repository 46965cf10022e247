import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import type { StateMachines } from '../domain/ports/state-machines.ts';
import type { DeploymentEvent } from './start-fleet.ts';

/** CloudFormation's request to the custom resource that is deleted before the workflows. */
export type StopExecutionsEvent = Omit<DeploymentEvent, 'ResourceProperties'> & {
  readonly ResourceProperties: {
    /** ARNs of the workflows, in the order in which their executions are stopped. The last one is the renewal workflow. */
    readonly StateMachineArns: readonly string[];
  };
};

export interface StopExecutionsPorts {
  readonly stateMachines: Pick<StateMachines, 'start' | 'running' | 'stop'>;
  readonly ledger: Pick<Ledger, 'withLeftovers'>;
  readonly log: Pick<StepLog, 'info' | 'error'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Sends the reply with PUT. */
  readonly reply: (url: string, body: string) => Promise<void>;
}

/** Longest time for everything, in ms. */
const longestTime = 600_000;
/** Longest time for the clean-up of TXT values, in ms. It is kept back from the time for stopping. */
const longestCleanUp = 120_000;
/**
 * Time without a running execution after which the workflows count as stopped, in ms. ListExecutions is eventually consistent, and a function that an
 * execution has called still runs when that execution is stopped. It may be writing a TXT value.
 */
const quietTime = 10_000;
/** Time between two lists of executions, in ms. */
const pause = 2000;

/**
 * Stops the executions of a stack that is deleted, and removes the TXT values that they have left in DNS. AWS deletes a state machine only when its
 * executions have ended, and a renewal may wait for hours.
 *
 * The fleet is stopped before the renewals that it starts. TXT values are removed by renewals with `cleanUp`. It replies SUCCESS in every case,
 * because an error must not prevent the deletion. It does nothing for other requests. A second run finds nothing to stop.
 */
export async function stopExecutions(event: StopExecutionsEvent, ports: StopExecutionsPorts): Promise<void> {
  const { RequestType, RequestId, StackId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = event;
  try {
    if (RequestType === 'Delete') await stopAndCleanUp(event, ports);
  } catch (error) {
    ports.log.error('The executions of the deleted stack could not be stopped.', { error });
  }
  await ports.reply(
    event.ResponseURL,
    JSON.stringify({ Status: 'SUCCESS', RequestId, StackId, LogicalResourceId, PhysicalResourceId }),
  );
}

async function stopAndCleanUp(
  { RequestId, ResourceProperties: { StateMachineArns } }: StopExecutionsEvent,
  ports: StopExecutionsPorts,
): Promise<void> {
  const { stateMachines, ledger, log, clock } = ports;
  const end = clock.now().getTime() + longestTime;
  const renewal = StateMachineArns.slice(-1);
  await untilNoneRuns(StateMachineArns, { stops: true, quiet: quietTime, end: end - longestCleanUp }, ports);
  const certificates = await ledger.withLeftovers();
  for (const [index, certificate] of certificates.entries()) {
    log.info('TXT values are removed.', { certificate });
    for (const arn of renewal)
      await stateMachines.start(arn, `clean-up-${index}-${RequestId}`, { certificate, cleanUp: true });
  }
  // A clean-up takes seconds. One that fails would wait for its next attempt, so it is stopped.
  const cleaned = clock.now().getTime() + longestCleanUp / 2;
  if (certificates.length > 0) await untilNoneRuns(renewal, { stops: false, quiet: pause, end: cleaned }, ports);
  await untilNoneRuns(renewal, { stops: true, quiet: pause, end }, ports);
}

/** Waits until no execution has run for the time `quiet`, or until `end`. It stops running executions if `stops` is set. */
async function untilNoneRuns(
  arns: readonly string[],
  { stops, quiet, end }: { readonly stops: boolean; readonly quiet: number; readonly end: number },
  { stateMachines, log, clock }: StopExecutionsPorts,
): Promise<void> {
  for (let seen = clock.now().getTime(); clock.now().getTime() < end; await clock.sleep(pause)) {
    for (const arn of arns) {
      try {
        const running = await stateMachines.running(arn);
        if (running.length > 0) seen = clock.now().getTime();
        for (const execution of stops ? running : []) await stateMachines.stop(execution, 'The stack is deleted.');
      } catch (error) {
        seen = clock.now().getTime();
        log.error('The executions of a workflow could not be stopped. It is tried again.', {
          stateMachine: arn,
          error,
        });
      }
    }
    if (clock.now().getTime() - seen >= quiet) return;
  }
}
