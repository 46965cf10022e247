import { AccessDeniedError } from '../domain/contract/errors.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import type { ExecutionEnd, StateMachines } from '../domain/ports/state-machines.ts';
import { caaAttribute } from './caa-attribute.ts';
import { withPermissionRetries } from './permission-retries.ts';

/** The part of CloudFormation's request to the custom resource that is used here. */
export interface DeploymentEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  /** Signed URL for the reply. */
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: {
    /** ARN of the fleet workflow. */
    readonly StateMachineArn?: string;
    readonly AccountsStateMachineArn?: string;
  };
}

export interface StartFleetPorts {
  readonly stateMachines: Pick<StateMachines, 'start' | 'end'>;
  readonly log: Pick<StepLog, 'info' | 'error'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Sends the reply with PUT. */
  readonly reply: (url: string, body: string) => Promise<void>;
}

/** Longest wait for the registration, in seconds. An account usually takes a few seconds, and a slow CA must not delay the fleet and the deployment. */
const longestRegistration = 30;

/** Seconds between two checks of the registration. */
const pause = 1;

/**
 * Registers the accounts and then starts the fleet, after a deployment. The renewals of a first deployment would otherwise register the same account
 * at the same time, and an external account binding may be valid once only. It replies SUCCESS even if a start fails, because that is no reason to
 * roll back a deployment. The schedule also starts the fleet, and an order also registers its account. Nothing is started when the stack is deleted.
 *
 * The attribute `Caa` of the reply has the CAA records that restrict a domain to these accounts, or says how to read them.
 *
 * The executions are named after CloudFormation's request, so it is safe to run twice.
 */
export async function startFleet(event: DeploymentEvent, ports: StartFleetPorts): Promise<void> {
  const { RequestType, RequestId, ResourceProperties, StackId, LogicalResourceId, PhysicalResourceId } = event;
  const { StateMachineArn: fleet, AccountsStateMachineArn: accounts } = ResourceProperties;
  const name = `deployment-${RequestId}`;
  let caa: string | undefined;
  if (RequestType !== 'Delete') {
    const registration = { input: { action: 'register' }, otherwise: 'The first order registers its account.' };
    if (accounts) caa = await register({ ...registration, stateMachine: accounts, name }, ports);
    await startOrLog(
      { stateMachine: fleet ?? '', name, input: {}, otherwise: 'The schedule starts the fleet.' },
      ports,
    );
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

/** Starts the registration, waits at most 30 s for its end, and returns the attribute `Caa`. */
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
      if (end) {
        if (end.status !== 'SUCCEEDED') logFailure(execution, end, log);
        return caaAttribute(stateMachine, execution, end);
      }
    } catch (error) {
      // Only a denied call is repeated, because a new permission may not work yet.
      log.error('The status of the registration of accounts could not be read.', { execution, error });
      if (!(error instanceof AccessDeniedError)) break;
    }
  }
  return caaAttribute(stateMachine, execution, null);
}

/** Logs that an issuer has no account. The accounts workflow publishes the event. */
function logFailure(execution: string, { status, error, cause }: ExecutionEnd, log: StartFleetPorts['log']): void {
  const sentence =
    'The registration of accounts did not succeed. An issuer without an account cannot issue, also as a fallback.';
  log.error(sentence, { execution, status, error, cause });
}

interface Start {
  readonly stateMachine: string;
  readonly name: string;
  readonly input: object;
  /** What happens if the start fails, as a sentence. */
  readonly otherwise: string;
}

/** Starts an execution and tells whether it was started. A failure is logged and not thrown. */
async function startOrLog({ stateMachine, name, input, otherwise }: Start, ports: StartFleetPorts): Promise<boolean> {
  try {
    await withPermissionRetries(() => ports.stateMachines.start(stateMachine, name, input), ports.clock);
    ports.log.info('started', { stateMachine });
    return true;
  } catch (error) {
    ports.log.error(`The workflow could not be started after the deployment. ${otherwise}`, { stateMachine, error });
    return false;
  }
}
