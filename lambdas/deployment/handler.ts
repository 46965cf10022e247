import { createStacks } from '../adapters/aws/cloudformation/stacks.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { createLogger, stepLog } from '../adapters/aws/lambda/step-log.ts';
import { createStateMachines } from '../adapters/aws/step-functions/state-machines.ts';
import { environment, requireVariable } from '../domain/contract/environment.ts';
import { type AwaitDeliveryEvent, awaitDelivery, type Completion } from './await-delivery.ts';
import { forCloudFormation } from './failure-reason.ts';
import { type CertificateRequestEvent, type RequestedRenewal, requestRenewal } from './request-renewal.ts';
import { type DeploymentEvent, startFleet } from './start-fleet.ts';
import { type StopExecutionsEvent, stopExecutions } from './stop-executions.ts';

/** Registers the accounts and starts the fleet after all other changes of a deployment. */
export const handler = async (event: DeploymentEvent): Promise<void> => {
  const logger = createLogger();
  await startFleet(event, {
    stateMachines: createStateMachines(),
    log: stepLog(logger),
    clock,
    reply: put,
  });
};

/** Stops all executions before the workflows of a stack are deleted. */
export const onDelete = async (event: StopExecutionsEvent): Promise<void> => {
  const logger = createLogger();
  await stopExecutions(event, {
    stateMachines: createStateMachines(),
    ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
    log: stepLog(logger),
    clock,
    reply: put,
  });
};

/** Starts the renewal of a certificate that another resource of the deployment needs. */
export const onEvent = (event: CertificateRequestEvent): Promise<RequestedRenewal> =>
  forCloudFormation(() =>
    requestRenewal(event, {
      stateMachines: createStateMachines(),
      ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
      stacks: createStacks(),
      clock,
    }),
  );

/** Tells whether that renewal has delivered the certificate. The Provider framework calls it until it has. */
export const isComplete = (event: AwaitDeliveryEvent): Promise<Completion> =>
  forCloudFormation(() =>
    awaitDelivery(event, {
      stateMachines: createStateMachines(),
      ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
      clock,
    }),
  );

/** Sends the reply to a signed URL in S3, which requires an empty content type. A failure is thrown, so that Lambda retries twice. */
async function put(url: string, body: string): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    body,
    headers: { 'content-type': '' },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) {
    throw new Error(`The reply to CloudFormation failed with HTTP status ${response.status}. Lambda retries it.`);
  }
}
