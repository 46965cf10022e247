import type { Construct } from 'constructs';
import { keepError } from '../error-output.ts';
import { caught, merged } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Checks the hosted zones before an order. A new order is placed only if the check succeeds. A saved order may be proven already, so the
 * workflow continues with it after a failed check. The error is then kept, and there are no `challengeRecords`.
 */
export function zonesPhase(scope: Construct, { challenge }: Record<'challenge', WorkflowFunction>) {
  const checkZones = (name: string) =>
    challenge.step(scope, name, {
      step: 'checkZones',
      payload: { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' },
      assign: { zoneServers: '{% $states.result.Payload.zoneServers %}' },
    });
  const forNewOrder = checkZones('Check zones');
  const forSavedOrder = checkZones('Check zones of saved order');
  return {
    start: forNewOrder,
    checked: forNewOrder,
    failed: caught([forNewOrder], keepError),
    forSavedOrder,
    checkedForSavedOrder: merged(
      forSavedOrder,
      caught([forSavedOrder], { ...keepError, outputs: { challengeRecords: '{% null %}' } }),
    ),
  };
}
