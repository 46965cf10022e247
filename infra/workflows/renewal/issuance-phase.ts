import { Choice, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { reached, wait } from './wait-state.ts';

/** From the CSR to the stored certificate. */
export function issuance(
  scope: Construct,
  { order, certificate }: Record<'order' | 'certificate', WorkflowFunction>,
  { recordFailure, deliver }: Record<'recordFailure' | 'deliver', IChainable>,
): IChainable {
  const finalizeOrder = certificate
    .step(scope, 'Finalize order', {
      payload: { spec: '{% $spec %}', order: '{% $order %}', resumed: '{% $resumed %}' },
      retry: [caUnavailable],
    })
    .addCatch(recordFailure, noted);
  const pollOrder = order
    .step(scope, 'Poll order until valid', {
      step: 'pollOrder',
      payload: { spec: '{% $spec %}', order: '{% $order %}', until: 'valid', tries: '{% $validTries %}' },
      retry: [caUnavailable],
      assign: { validTries: '{% $validTries + 1 %}' },
    })
    .addCatch(recordFailure, noted);
  const storeCertificate = certificate
    .step(scope, 'Store certificate', {
      payload: {
        spec: '{% $spec %}',
        order: '{% $order %}',
        certificateUrl: '{% $states.input.certificateUrl %}',
      },
      retry: [caUnavailable],
      assign: { current: '{% $states.result.Payload.current %}' },
    })
    .addCatch(recordFailure, noted);
  storeCertificate.next(deliver);

  const waitForIssuance = wait(scope, 'Wait for issuance');
  const valid = Choice.jsonata(scope, 'Valid?').when(reached, storeCertificate).otherwise(waitForIssuance);
  waitForIssuance.next(pollOrder).next(valid);
  return finalizeOrder.next(valid);
}
