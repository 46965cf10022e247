import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { Tags } from '../domain/contract/environment.ts';
import { UnreadableSecretError } from '../domain/contract/errors.ts';
import type { ReadCertificateInput, ReadCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accessChanging } from '../domain/rules/certificate/secret-sharing.ts';
import { isVersionOfStack } from '../domain/rules/certificate/stack-version.ts';
import { compromisedCertificate, replaceCompromised } from './compromised-certificate.ts';
import { factsOf } from './facts-from-secret.ts';
import { shareIfPossible } from './share-secret.ts';

export interface ReadCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly tags: Tags;
  readonly log: StepLog;
}

/**
 * Records in the ledger which certificate the secret holds. It is needed if an execution was interrupted after AWSCURRENT had moved, or if the table
 * was lost. No order is placed for an existing certificate. The ledger may not know its tags, readers and replicas, so they are set too.
 *
 * It writes only what it reads, so it is safe to run twice.
 *
 * @throws UnreadableSecretError if the current value is no certificate, or if another writer has stored it in the meantime
 */
export async function readCertificate(
  { certificate, execution, spec }: ReadCertificateInput,
  { ledger, secrets, tags, log }: ReadCertificatePorts,
): Promise<ReadCertificateOutput> {
  const { arn, versionId, value } = await secrets.readCurrent(certificate);
  if (!isVersionOfStack(versionId)) {
    throw new UnreadableSecretError({
      what: 'The certificate in the secret was not adopted.',
      why: `AWSCURRENT is now version ${versionId}, which this stack did not store.`,
      remedy: 'Move AWSCURRENT back, or start the renewal with force. It issues and stores a new certificate.',
      certificate,
      secret: arn,
    });
  }
  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn: arn,
    versionId,
    orderUrl: null,
    execution,
  };
  // First, so that after an interruption the next fleet run decides `share` and removes readers that are no longer configured.
  await ledger.recordAccess(certificate, execution, accessChanging);
  const compromised = await secrets.isCompromised(certificate, value.privateKey);
  if (compromised) await replaceCompromised({ certificate, spec, versionId }, ledger);
  await ledger.recordCurrent(certificate, execution, current);
  if (compromised) throw compromisedCertificate(certificate, versionId);
  await shareIfPossible({ certificate, execution, spec }, { ledger, secrets, tags, log });
  return { current };
}
