import type { Construct } from 'constructs';
import { noted } from '../error-output.ts';
import { caught } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Two actions on the secret of a certificate that is stored already: neither needs an order. */
export function secretPhase(scope: Construct, { certificate }: Record<'certificate', WorkflowFunction>) {
  const readCertificate = certificate.step(scope, 'Read certificate', {
    payload: { spec: '{% $spec %}' },
    assign: { current: '{% $states.result.Payload.current %}' },
  });
  const shareSecret = certificate.step(scope, 'Share secret', { payload: { spec: '{% $spec %}' } });
  return {
    repair: readCertificate,
    repaired: readCertificate,
    share: shareSecret,
    shared: shareSecret,
    failed: caught([readCertificate, shareSecret], noted),
  };
}
