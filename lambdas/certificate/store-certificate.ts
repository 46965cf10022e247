import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import type { Tags } from '../domain/contract/environment.ts';
import { StagedKeyMissingError } from '../domain/contract/errors.ts';
import type { StoreCertificateInput, StoreCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { accessHash } from '../domain/rules/certificate/secret-sharing.ts';
import { shorterLifetimeWarning } from '../domain/rules/certificate/shorter-lifetime.ts';
import { verifyCertificate } from '../domain/rules/certificate/verify-certificate.ts';
import { orderedProfile } from '../domain/rules/renewal/issuer-choice.ts';
import { slowScheduleWarning } from '../domain/rules/renewal/schedule-limit.ts';
import {
  compromisedCertificate,
  compromisedOrder,
  replaceCompromised,
  revokeIfCompromised,
} from './compromised-certificate.ts';
import { factsOf } from './facts-from-secret.ts';
import { inPreferredChain } from './preferred-chain.ts';
import { accessOf, shareIfPossible } from './share-secret.ts';
import { type AccountPorts, connectStoredAccount } from './stored-account.ts';

export interface StoreCertificatePorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly tags: Tags;
  readonly clock: Clock;
  readonly log: StepLog;
}

/**
 * Downloads the certificate, verifies it against order and key, and makes it current. RFC 8555 §7.4.2. The new version is complete before AWSCURRENT
 * moves, so readers get the complete old value or the complete new one. The facts are then saved in the ledger.
 *
 * If the key has become compromised, the certificate does not become current, or is replaced at once. The certificate is then revoked.
 *
 * The order determines the id of the version, so a second run stores nothing. It is a success if AWSCURRENT has already moved.
 */
export async function storeCertificate(
  input: StoreCertificateInput,
  ports: StoreCertificatePorts,
): Promise<StoreCertificateOutput> {
  const { spec, certificateUrl } = input;
  return store(input, ports).catch((error: unknown) =>
    revokeIfCompromised(error, { issuer: spec.issuer, certificateUrl }, ports),
  );
}

async function store(
  { certificate, execution, spec, order, certificateUrl, checkInterval }: StoreCertificateInput,
  { ledger, secrets, tags, clock, log, ...accountPorts }: StoreCertificatePorts,
): Promise<StoreCertificateOutput> {
  const started = clock.now();
  const ca = await connectStoredAccount(spec.issuer, accountPorts);
  const issued = await ca.certificate(certificateUrl);
  const privateKey = await secrets.stagedKey(certificate, order.url);
  if (!privateKey) {
    throw new StagedKeyMissingError({
      what: `The secret does not hold the key staged for order ${order.url}.`,
      why: 'A version may have been deleted by hand.',
      remedy: 'The next attempt places a new order.',
      certificate,
      order: order.url,
    });
  }
  const verify = (pem: string) => verifyCertificate(pem, privateKey, spec, clock.now());
  const search = { ca, verify, started, clock };
  const { warnings: accepted, ...verified } = await inPreferredChain(spec.issuer, issued, search);
  const { current: inUse } = await ledger.certificate(certificate);
  const shorter = shorterLifetimeWarning(certificate, verified, inUse, clock.now());
  const slow = slowScheduleWarning(verified, checkInterval);
  // In a second run the certificate in use is this one, which was compared by the first run.
  const warnings =
    inUse?.orderUrl === order.url
      ? (inUse.warnings ?? [])
      : [...accepted, ...(shorter ? [shorter] : []), ...(slow ? [slow] : [])];
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
    profile: spec.profile && orderedProfile(spec, await ca.profiles()),
  };
  const versionId = await secrets.putCertificate(certificate, order.url, value);
  // The lease is checked after the current version was read, so that version was current under the lease. If this function stalls, and another
  // execution makes a version current, AWSCURRENT does not move back.
  const before = await secrets.describe(certificate);
  await ledger.assertLease(certificate, execution);
  // The download may have taken long. A key that was marked in the meantime does not become current.
  if (await secrets.isCompromised(certificate, privateKey)) throw compromisedOrder(certificate, order.url);
  const { arn: secretArn, first } = await secrets.makeCurrent(certificate, {
    from: before?.currentVersion ?? null,
    to: versionId,
  });
  // A revocation marks the key before it lists the versions. So it finds this version, or this step finds the mark.
  const compromised = await secrets.isCompromised(certificate, privateKey);
  if (compromised) await replaceCompromised({ certificate, spec, versionId }, ledger);

  const current: CertificateFacts = {
    ...factsOf(value),
    secretArn,
    versionId,
    ...(warnings.length > 0 && { warnings: warnings.map((warning) => warning.slice(0, longestWarning)) }),
    orderUrl: order.url,
    execution,
  };
  await ledger.recordCurrent(certificate, execution, current);
  if (compromised) throw compromisedCertificate(certificate, versionId);
  // A new secret has no readers to remove.
  if (!first || accessHash(accessOf(spec, tags), current) !== '') {
    await shareIfPossible({ certificate, execution, spec }, { ledger, secrets, tags, log });
  }
  return { current, warnings };
}

/** Longest warning in the ledger and in events, in characters. A certificate may have a hundred extra names. The log has the whole text. */
const longestWarning = 500;
