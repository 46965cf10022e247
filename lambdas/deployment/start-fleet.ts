import type { StateMachines } from '../aws/state-machines.ts';
import { AccessDeniedError } from '../rules/errors.ts';
import type { Clock, StepLog } from '../rules/ports.ts';

/** What CloudFormation sends to a custom resource's function, as far as it is read here. */
export interface DeploymentEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  /** Signed URL that waits for the reply. */
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: {
    /** The fleet. */
    readonly StateMachineArn?: string;
    readonly AccountsStateMachineArn?: string;
  };
}

export interface StartFleetPorts {
  readonly stateMachines: StateMachines;
  readonly log: Pick<StepLog, 'info' | 'error'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** PUTs the reply. */
  readonly reply: (url: string, body: string) => Promise<void>;
}

/** Seconds: a permission that was made a moment ago may need some before it holds. */
const permissionWaits = [5, 15] as const;

/**
 * Starts the fleet and the registration of accounts after a deployment, and says SUCCESS whatever becomes of them: the schedule starts
 * the fleet too, an order registers its account, and no deployment shall be rolled back for that. Nothing is started when the stack is
 * deleted.
 *
 * The executions are named after CloudFormation's request, so running it twice starts each once.
 */
export async function startFleet(event: DeploymentEvent, ports: StartFleetPorts): Promise<void> {
  const { RequestType, RequestId, ResourceProperties, StackId, LogicalResourceId, PhysicalResourceId } = event;
  const { StateMachineArn: fleet, AccountsStateMachineArn: accounts } = ResourceProperties;
  const name = `deployment-${RequestId}`;
  if (RequestType !== 'Delete') {
    await Promise.all([
      startOrLog({ stateMachine: fleet ?? '', name, input: {}, otherwise: 'the schedule starts it' }, ports),
      accounts &&
        startOrLog(
          { stateMachine: accounts, name, input: { action: 'register' }, otherwise: 'the first order registers' },
          ports,
        ),
    ]);
  }
  const answer = { Status: 'SUCCESS', RequestId, StackId, LogicalResourceId };
  await ports.reply(
    event.ResponseURL,
    JSON.stringify({ ...answer, PhysicalResourceId: PhysicalResourceId ?? LogicalResourceId }),
  );
}

interface Start {
  readonly stateMachine: string;
  readonly name: string;
  readonly input: object;
  /** What happens instead, in words. */
  readonly otherwise: string;
}

async function startOrLog(start: Start, ports: StartFleetPorts): Promise<void> {
  const { stateMachine, otherwise } = start;
  try {
    await startPatiently(start, ports);
    ports.log.info('started', { stateMachine });
  } catch (error) {
    ports.log.error(`Not started after the deployment; ${otherwise}.`, { stateMachine, error });
  }
}

async function startPatiently({ stateMachine, name, input }: Start, { stateMachines, clock }: StartFleetPorts) {
  for (const seconds of permissionWaits) {
    try {
      return await stateMachines.start(stateMachine, name, input);
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      await clock.sleep(seconds * 1000);
    }
  }
  return stateMachines.start(stateMachine, name, input);
}
