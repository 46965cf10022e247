import type { Duration } from 'aws-cdk-lib';
import { Choice } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noRefusedProofs } from '../../../lambdas/domain/rules/proof/poll-wait.ts';
import { keepError } from '../error-output.ts';
import { caught } from '../exits.ts';
import { caUnavailable } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { reached, secondsSince, wait } from './wait-state.ts';

/** Sends the CSR, polls the order until the certificate is issued, and stores the certificate. RFC 8555 §7.4 */
export function issuancePhase(
  scope: Construct,
  { order, certificate, interval }: Record<'order' | 'certificate', WorkflowFunction> & { readonly interval: Duration },
) {
  const finalizeOrder = certificate.step(scope, 'Finalize order', {
    payload: { spec: '{% $spec %}', order: '{% $order %}', resumed: '{% $resumed %}' },
    retry: [caUnavailable],
    assign: { finalizedAt: '{% $now() %}' },
  });
  const waitForIssuance = wait(scope, 'Wait for issuance');
  const pollOrder = order.step(scope, 'Poll order until valid', {
    step: 'pollOrder',
    payload: {
      spec: '{% $spec %}',
      order: '{% $order %}',
      until: 'valid',
      waited: secondsSince('finalizedAt'),
      refused: noRefusedProofs,
    },
    retry: [caUnavailable],
  });
  const storeCertificate = certificate.step(scope, 'Store certificate', {
    payload: {
      spec: '{% $spec %}',
      order: '{% $order %}',
      certificateUrl: '{% $states.input.certificateUrl %}',
      checkInterval: interval.toSeconds(),
    },
    retry: [caUnavailable],
    assign: { current: '{% $states.result.Payload.current %}' },
  });

  const valid = Choice.jsonata(scope, 'Valid?').when(reached, storeCertificate).otherwise(waitForIssuance);
  finalizeOrder.next(valid);
  waitForIssuance.next(pollOrder).next(valid);
  return {
    start: finalizeOrder,
    stored: storeCertificate,
    failed: caught([finalizeOrder, pollOrder, storeCertificate], keepError),
  };
}
