import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caught, merged } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Goes on when it fails, with the error noted and no `challengeRecords`: a saved order may be past all proofs. */
export function zonesPhase(scope: Construct, { challenge }: Record<'challenge', WorkflowFunction>) {
  const checkZones = challenge.step(scope, 'Check zones', {
    payload: { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' },
  });
  const failed = caught([checkZones], { ...noted, outputs: { challengeRecords: '{% null %}' } });
  return { start: checkZones, checked: merged(checkZones, failed) };
}
