import type { CertificateFacts, ReadCertificateInput, ReadCertificateOutput } from '../rules/contract.ts';
import type { CertificateSecrets, Ledger } from '../rules/ports.ts';
import { factsOf } from './facts.ts';
import { shareCertificate } from './share-certificate.ts';

/**
 * Tells the ledger what the secret holds: after a run that died once AWSCURRENT had moved, and after a lost table. Nothing is
 * ordered for a certificate that is there. Readers and replicas that were configured since are made up for.
 *
 * Writes what it reads, so running it twice is running it once.
 */
export async function readCertificate(
  { certificate, execution, spec }: ReadCertificateInput,
  { ledger, secrets }: { readonly ledger: Ledger; readonly secrets: CertificateSecrets },
): Promise<ReadCertificateOutput> {
  const { arn, versionId, value } = await secrets.readCurrent(certificate);
  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn: arn,
    versionId,
    orderUrl: null,
    execution: null,
  };
  await ledger.recordCurrent(certificate, execution, current);
  await shareCertificate({ certificate, execution, spec }, { ledger, secrets });
  return { current };
}
