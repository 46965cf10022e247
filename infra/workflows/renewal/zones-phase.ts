import type { CatchProps } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caught, merged } from '../exits.ts';
import { caUnavailable, named } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Goes on when it fails, with the error noted and no `challengeRecords`: a saved order may be past all proofs. CAA is judged by what the
 * last order found at the CA; where it refuses, the CA is asked for its names of today, and for our account, before that counts.
 */
export function zonesPhase(scope: Construct, { order, challenge }: Record<'order' | 'challenge', WorkflowFunction>) {
  const payload = { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' };
  const failed: CatchProps = { ...noted, outputs: { challengeRecords: '{% null %}' } };
  const checkZones = challenge.step(scope, 'Check zones', { payload });
  const registerAccount = order.step(scope, 'Register account', {
    payload: { issuer: '{% $spec.issuer %}' },
    retry: [caUnavailable],
    assign: { account: '{% $states.result.Payload %}' },
  });
  const again = challenge.step(scope, 'Check zones again', {
    step: 'checkZones',
    payload,
    assign: { errorOutput: '{% null %}' },
  });

  checkZones.addCatch(registerAccount, { ...noted, errors: named('CaaError') });
  registerAccount.next(again);
  return {
    start: checkZones,
    checked: merged(
      checkZones,
      again,
      caught([checkZones, again], failed),
      // What *Check zones* found says more.
      caught([registerAccount], { outputs: failed.outputs }),
    ),
  };
}
