import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caught, merged } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/**
 * Checks the zones before an order. A new order is placed only where all is in order. A saved one may be past all proofs, so it goes on
 * when the check fails, with the error noted and no `challengeRecords`.
 */
export function zonesPhase(scope: Construct, { challenge }: Record<'challenge', WorkflowFunction>) {
  const checkZones = (name: string) =>
    challenge.step(scope, name, {
      step: 'checkZones',
      payload: { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' },
    });
  const forNewOrder = checkZones('Check zones');
  const forSavedOrder = checkZones('Check zones of saved order');
  return {
    start: forNewOrder,
    checked: forNewOrder,
    failed: caught([forNewOrder], noted),
    forSavedOrder,
    checkedForSavedOrder: merged(
      forSavedOrder,
      caught([forSavedOrder], { ...noted, outputs: { challengeRecords: '{% null %}' } }),
    ),
  };
}
