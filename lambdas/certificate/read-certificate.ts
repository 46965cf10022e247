import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { ReadCertificateInput, ReadCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accessChanging } from '../domain/rules/certificate/secret-sharing.ts';
import { factsOf } from './facts-from-secret.ts';
import { shareCertificate, shareIfPossible } from './share-certificate.ts';

export interface ReadCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly log: StepLog;
}

/**
 * Tells the ledger what the secret holds: after a run that died once AWSCURRENT had moved, and after a lost table. Nothing is
 * ordered for a certificate that is there. For one that the ledger knows it is about readers and replicas alone, and fails by them.
 *
 * Writes what it reads, under its execution's name, so running it twice is running it once.
 */
export async function readCertificate(
  { certificate, execution, spec }: ReadCertificateInput,
  { ledger, secrets, log }: ReadCertificatePorts,
): Promise<ReadCertificateOutput> {
  const [{ arn, versionId, value }, { current: before }] = await Promise.all([
    secrets.readCurrent(certificate),
    ledger.certificate(certificate),
  ]);
  const shared = { certificate, execution, spec };
  if (before?.versionId === versionId && before.secretArn === arn && before.execution !== execution) {
    await shareCertificate(shared, { ledger, secrets });
    return { current: before, known: true };
  }
  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn: arn,
    versionId,
    orderUrl: null,
    execution,
  };
  // Before the rest, so that a death in between does not leave a reader who is configured no more.
  await ledger.recordAccess(certificate, execution, accessChanging);
  await ledger.recordCurrent(certificate, execution, current);
  await shareIfPossible(shared, { ledger, secrets, log });
  return { current, known: false };
}
