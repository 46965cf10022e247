import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { ReadCertificateInput, ReadCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accessChanging } from '../domain/rules/certificate/secret-sharing.ts';
import { factsOf } from './facts-from-secret.ts';
import { shareIfPossible } from './share-secret.ts';

export interface ReadCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly log: StepLog;
}

/**
 * Records in the ledger what the secret holds: after an execution that was interrupted once AWSCURRENT had moved, and after a lost
 * table. Nothing is ordered for a certificate that is there. Its readers and replicas are unknown then, so they are set too.
 *
 * Writes what it reads, under its execution's name, so running it twice is running it once.
 */
export async function readCertificate(
  { certificate, execution, spec }: ReadCertificateInput,
  { ledger, secrets, log }: ReadCertificatePorts,
): Promise<ReadCertificateOutput> {
  const { arn, versionId, value } = await secrets.readCurrent(certificate);
  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn: arn,
    versionId,
    orderUrl: null,
    execution,
  };
  // Before the rest, so that an interruption in between does not leave a reader who is configured no more.
  await ledger.recordAccess(certificate, execution, accessChanging);
  await ledger.recordCurrent(certificate, execution, current);
  await shareIfPossible({ certificate, execution, spec }, { ledger, secrets, log });
  return { current };
}
