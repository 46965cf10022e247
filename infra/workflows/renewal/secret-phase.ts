import type { Construct } from 'constructs';
import { keepError } from '../error-output.ts';
import { caught } from '../exits.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Two actions for a certificate that is already stored. They read its secret, or change who can read it, and need no order. */
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
    failed: caught([readCertificate, shareSecret], keepError),
  };
}
