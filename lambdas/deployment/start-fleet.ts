import type { StateMachines } from '../aws/state-machines.ts';
import type { StepLog } from '../rules/ports.ts';

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
  /** PUTs the reply. */
  readonly reply: (url: string, body: string) => Promise<void>;
}

/**
 * Starts the fleet after a deployment, and says SUCCESS whatever becomes of it: the schedule starts the fleet too, and no deployment
 * shall be rolled back for that. Nothing is started when the stack is deleted.
 *
 * The execution is named after CloudFormation's request, so running it twice starts the fleet once.
 */
export async function startFleet(
  event: DeploymentEvent,
  { stateMachines, log, reply }: StartFleetPorts,
): Promise<void> {
  const { RequestType, RequestId, ResourceProperties, StackId, LogicalResourceId, PhysicalResourceId } = event;
  const stateMachine = ResourceProperties.StateMachineArn ?? '';
  try {
    if (RequestType !== 'Delete') {
      await stateMachines.start(stateMachine, `deployment-${RequestId}`);
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
