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
  readonly ResourceProperties: { readonly StateMachineArn?: string };
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
 * Starts the fleet after a deployment, and says SUCCESS whatever becomes of it: the schedule starts the fleet too, and no deployment
 * shall be rolled back for that. Nothing is started when the stack is deleted.
 *
 * The execution is named after CloudFormation's request, so running it twice starts the fleet once.
 */
export async function startFleet(event: DeploymentEvent, ports: StartFleetPorts): Promise<void> {
  const { log, reply } = ports;
  const { RequestType, RequestId, ResourceProperties, StackId, LogicalResourceId, PhysicalResourceId } = event;
  const stateMachine = ResourceProperties.StateMachineArn ?? '';
  try {
    if (RequestType !== 'Delete') {
      await startPatiently(stateMachine, `deployment-${RequestId}`, ports);
      log.info('fleet started', { stateMachine });
    }
  } catch (error) {
    log.error('The fleet was not started after the deployment; the schedule starts it.', { stateMachine, error });
  }
  const answer = { Status: 'SUCCESS', RequestId, StackId, LogicalResourceId };
  await reply(
    event.ResponseURL,
    JSON.stringify({ ...answer, PhysicalResourceId: PhysicalResourceId ?? LogicalResourceId }),
  );
}

async function startPatiently(stateMachine: string, name: string, { stateMachines, clock }: StartFleetPorts) {
  for (const seconds of permissionWaits) {
    try {
      return await stateMachines.start(stateMachine, name);
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      await clock.sleep(seconds * 1000);
    }
  }
  return stateMachines.start(stateMachine, name);
}
