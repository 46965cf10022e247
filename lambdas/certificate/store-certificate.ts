import { accessHash } from '../rules/access.ts';
import type { CertificateFacts, StoreCertificateInput, StoreCertificateOutput } from '../rules/contract.ts';
import { StagedKeyMissingError } from '../rules/errors.ts';
import type { CertificateSecrets, CertificateSecretValue, Clock, Ledger, StepLog } from '../rules/ports.ts';
import { verifyCertificate } from '../rules/verify-certificate.ts';
import { type AccountPorts, accountAt } from './account-at.ts';
import { factsOf } from './facts.ts';
import { inPreferredChain } from './preferred-chain.ts';
import { shareIfPossible } from './share-certificate.ts';

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
  const ca = await accountAt(spec.issuer, accountPorts);
  const issued = await ca.certificate(certificateUrl);
  const privateKey = await secrets.stagedKey(certificate, order.url);
  if (!privateKey) {
    throw new StagedKeyMissingError(
      `The secret of certificate ${certificate} does not hold the key staged for order ${order.url}: was a version deleted by hand? The next run orders again.`,
    );
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
