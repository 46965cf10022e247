import { accessHash, isAccessBehind } from '../rules/access.ts';
import type { CertificateSpec } from '../rules/contract.ts';
import type { CertificateSecrets, Ledger } from '../rules/ports.ts';

/**
 * Gives the secret its readers and replicas, where the ledger knows it with others. The last thing that is done: what is refused here
 * keeps no certificate from being stored.
 */
export async function shareCertificate(
  {
    certificate,
    execution,
    spec,
  }: { readonly certificate: string; readonly execution: string; readonly spec: CertificateSpec },
  { ledger, secrets }: { readonly ledger: Ledger; readonly secrets: CertificateSecrets },
): Promise<void> {
  if (!isAccessBehind(spec, await ledger.certificate(certificate))) return;
  await ledger.assertLease(certificate, execution);
  await secrets.share(certificate, { readers: spec.readers ?? [], replicas: spec.replicas ?? [] });
  await ledger.recordAccess(certificate, execution, accessHash(spec));
}
