import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import { StagedKeyMissingError } from '../domain/contract/errors.ts';
import type { StoreCertificateInput, StoreCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { accessHash } from '../domain/rules/certificate/secret-sharing.ts';
import { verifyCertificate } from '../domain/rules/certificate/verify-certificate.ts';
import { factsOf } from './facts-from-secret.ts';
import { inPreferredChain } from './preferred-chain.ts';
import { shareIfPossible } from './share-secret.ts';
import { type AccountPorts, connectStoredAccount } from './stored-account.ts';

export interface StoreCertificatePorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly clock: Clock;
  readonly log: StepLog;
}

/**
 * Downloads the certificate, holds it against order and key, and makes it current. RFC 8555 §7.4.2. Readers see the old value or the
 * new one, never half: the new version is whole before AWSCURRENT moves. The facts are in the ledger at once.
 *
 * The version's id comes from the order, so running it twice stores once; AWSCURRENT that is there already has moved.
 */
export async function storeCertificate(
  { certificate, execution, spec, order, certificateUrl }: StoreCertificateInput,
  { ledger, secrets, clock, log, ...accountPorts }: StoreCertificatePorts,
): Promise<StoreCertificateOutput> {
  const ca = await connectStoredAccount(spec.issuer, accountPorts);
  const issued = await ca.certificate(certificateUrl);
  const privateKey = await secrets.stagedKey(certificate, order.url);
  if (!privateKey) {
    throw new StagedKeyMissingError({
      what: `The secret does not hold the key staged for order ${order.url}.`,
      why: 'A version may have been deleted by hand.',
      remedy: 'A new order is placed.',
      certificate,
      order: order.url,
    });
  }
  const verify = (pem: string) => verifyCertificate(pem, privateKey, spec, clock.now());
  const { warnings, ...verified } = await inPreferredChain(spec.issuer, issued, { ca, verify });
  for (const warning of warnings) log.warn(`Certificate of ${certificate}: ${warning}`, { order: order.url });
  const value: CertificateSecretValue = {
    format: 1,
    certificate: verified.certificate,
    chain: verified.chain,
    fullChain: verified.certificate + verified.chain,
    privateKey,
    identifiers: spec.identifiers,
    serialNumber: verified.serialNumber,
    notBefore: verified.notBefore,
    notAfter: verified.notAfter,
    issuer: verified.issuer,
    keyType: verified.keyType,
    directoryUrl: spec.issuer.directoryUrl,
    profile: spec.profile,
  };
  const versionId = await secrets.putCertificate(certificate, order.url, value);
  await ledger.assertLease(certificate, execution);
  const { arn: secretArn, first } = await secrets.makeCurrent(certificate, versionId);

  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn,
    versionId,
    orderUrl: order.url,
    execution,
  };
  await ledger.recordCurrent(certificate, execution, current);
  // A secret that is new has no readers to take away.
  if (!first || accessHash(spec, current) !== '') {
    await shareIfPossible({ certificate, execution, spec }, { ledger, secrets, log });
  }
  return { current, warnings };
}
