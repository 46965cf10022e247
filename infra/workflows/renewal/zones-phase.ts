import type { CatchProps, IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caUnavailable, named } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Goes on when it fails, with the error noted and no `challengeRecords`: a saved order may be past all proofs. CAA is judged by what the
 * last order found at the CA; where it refuses, the CA is asked for its names of today, and for our account, before that counts.
 */
export function zones(
  scope: Construct,
  { order, challenge }: Record<'order' | 'challenge', WorkflowFunction>,
  { orderSaved }: Record<'orderSaved', IChainable>,
): IChainable {
  const payload = { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' };
  const failed: CatchProps = { ...noted, outputs: { challengeRecords: '{% null %}' } };
  const again = challenge
    .step(scope, 'Check zones again', { step: 'checkZones', payload, assign: { errorOutput: '{% null %}' } })
    .addCatch(orderSaved, failed);
  const registerAccount = order
    .step(scope, 'Register account', {
      payload: { issuer: '{% $spec.issuer %}' },
      retry: [caUnavailable],
      assign: { account: '{% $states.result.Payload %}' },
    })
    // What *Check zones* found says more.
    .addCatch(orderSaved, { outputs: failed.outputs });
  registerAccount.next(again).next(orderSaved);
  return challenge
    .step(scope, 'Check zones', { payload })
    .addCatch(registerAccount, { ...noted, errors: named('CaaError') })
    .addCatch(orderSaved, failed)
    .next(orderSaved);
}
