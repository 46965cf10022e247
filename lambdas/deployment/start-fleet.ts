import { AccessDeniedError } from '../domain/contract/errors.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import type { StateMachines } from '../domain/ports/state-machines.ts';
import { caaAttribute } from './caa-attribute.ts';
import { patiently } from './permission-waits.ts';

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
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** PUTs the reply. */
  readonly reply: (url: string, body: string) => Promise<void>;
}

/** Seconds. An account takes some; a CA that takes its time must not keep a deployment. */
const longestRegistration = 30;
const pause = 1;

/**
 * Starts the fleet and the registration of accounts after a deployment, and says SUCCESS whatever becomes of them: the schedule starts
 * the fleet too, an order registers its account, and no deployment shall be rolled back for that. Nothing is started when the stack is
 * deleted. The attribute `Caa` of the reply are the CAA records that lock a domain to those accounts, or how to find them.
 *
 * The executions are named after CloudFormation's request, so running it twice starts each once.
 */
export async function startFleet(event: DeploymentEvent, ports: StartFleetPorts): Promise<void> {
  const { RequestType, RequestId, ResourceProperties, StackId, LogicalResourceId, PhysicalResourceId } = event;
  const { StateMachineArn: fleet, AccountsStateMachineArn: accounts } = ResourceProperties;
  const name = `deployment-${RequestId}`;
  let caa: string | undefined;
  if (RequestType !== 'Delete') {
    const registration = { input: { action: 'register' }, otherwise: 'the first order registers' };
    [, caa] = await Promise.all([
      startOrLog({ stateMachine: fleet ?? '', name, input: {}, otherwise: 'the schedule starts it' }, ports),
      accounts ? register({ ...registration, stateMachine: accounts, name }, ports) : undefined,
    ]);
  }
  const answer = { Status: 'SUCCESS', RequestId, StackId, LogicalResourceId };
  await ports.reply(
    event.ResponseURL,
    JSON.stringify({
      ...answer,
      PhysicalResourceId: PhysicalResourceId ?? LogicalResourceId,
      ...(caa !== undefined && { Data: { Caa: caa } }),
    }),
  );
}

/** Starts the registration and waits for its end, though not for long. */
async function register(start: Start, ports: StartFleetPorts): Promise<string> {
  const { stateMachines, clock, log } = ports;
  const { stateMachine, name } = start;
  const execution = `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
  if (!(await startOrLog(start, ports))) return caaAttribute(stateMachine, execution, 'not started');
  const latest = clock.now().getTime() + longestRegistration * 1000;
  while (clock.now().getTime() < latest) {
    await clock.sleep(pause * 1000);
    try {
      const end = await stateMachines.end(execution);
      if (end) return caaAttribute(stateMachine, execution, end);
    } catch (error) {
      // That permission too may be too new to hold.
      log.error('The registration of accounts could not be looked at.', { execution, error });
      if (!(error instanceof AccessDeniedError)) break;
    }
  }
  return caaAttribute(stateMachine, execution, null);
}

interface Start {
  readonly stateMachine: string;
  readonly name: string;
  readonly input: object;
  /** What happens instead, in words. */
  readonly otherwise: string;
}

/** Whether it was started. */
async function startOrLog({ stateMachine, name, input, otherwise }: Start, ports: StartFleetPorts): Promise<boolean> {
  try {
    await patiently(() => ports.stateMachines.start(stateMachine, name, input), ports.clock);
    ports.log.info('started', { stateMachine });
    return true;
  } catch (error) {
    ports.log.error(`Not started after the deployment; ${otherwise}.`, { stateMachine, error });
    return false;
  }
}
