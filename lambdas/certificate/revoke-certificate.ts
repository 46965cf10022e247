import { createPrivateKey } from 'node:crypto';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import type { CertificateSpec, Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError, RenewalsInProgressError, UnreadableSecretError } from '../domain/contract/errors.ts';
import { revocationReasons } from '../domain/contract/revocation-reason.ts';
import type { RevokeCertificateInput, RevokeCertificateOutput } from '../domain/contract/steps.ts';
import type { CertificateVersions, StagedKey, StoredCertificate } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { hasTimes } from '../domain/rules/certificate/certificate-times.ts';
import { keyFingerprint } from '../domain/rules/certificate/key-fingerprint.ts';
import { splitPem } from '../domain/rules/certificate/verify-certificate.ts';
import type { AccountPorts } from './stored-account.ts';
import { unstoredCertificate } from './unstored-certificate.ts';

export interface RevokeCertificatePorts extends AccountPorts {
  readonly ledger: Pick<Ledger, 'allowIssue' | 'recordRevocation'>;
  readonly versions: Pick<CertificateVersions, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Revokes a certificate. RFC 8555 §7.6. If its key is compromised, every unexpired certificate with that key is revoked, including those of earlier
 * renewals with `reuseKey`. The compromised key itself signs these requests. *Mark compromised key* has marked it before. For other reasons only the
 * named certificate is revoked, and the account signs the request. The next certificate may pass the issue cap.
 *
 * The versions are listed here, with the lease of the certificate, because a renewal may have stored a certificate since the request. *Revoke again*
 * has no lease, because each function that began before the mark has ended by then. A certificate with a compromised key that was issued but not stored
 * is downloaded from the CA, for which the account is needed.
 *
 * The input names the version, so a second run revokes the same certificates. A certificate that is already revoked is a success.
 *
 * @throws UnreadableSecretError if the version holds no certificate
 * @throws AccountDoesNotExistError if the account that has to sign is not stored
 * @throws RenewalsInProgressError while the CA issues a certificate with the compromised key
 * @throws UnrevokedCertificateError if the CA does not return an order that may have given a certificate with the compromised key
 */
export async function revokeCertificate(
  { certificate, spec, versionId, reason }: RevokeCertificateInput,
  ports: RevokeCertificatePorts,
): Promise<RevokeCertificateOutput> {
  const { ledger, versions, clock } = ports;
  const { stored, staged } = await versions.list(certificate);
  const named = stored.find((each) => each.versionId === versionId);
  if (!named) {
    throw new UnreadableSecretError({
      what: 'Nothing was revoked.',
      why: `Version ${versionId} of the secret holds no certificate.`,
      remedy: 'Start the revocation again. Without a version it revokes the one that is current.',
      certificate,
    });
  }
  const compromised = reason === 'keyCompromise';
  const key = keyFingerprint(named.value.privateKey);
  const hasKey = ({ privateKey }: { readonly privateKey: string }) => keyFingerprint(privateKey) === key;
  const affected = compromised ? stored.filter(({ value }) => hasKey(value)) : [named];
  const current = affected.find((each) => each.current);
  // Before the revocation, so that a renewal is due even if this execution fails.
  if (compromised && current) await ledger.recordRevocation(certificate, current.versionId);

  const now = clock.now();
  const unexpired = affected.filter(({ value }) => Date.parse(value.notAfter) > now.getTime());
  const recent = staged.filter(({ stagedAt }) => mayHaveUnexpired(stagedAt, affected, now));
  const ready: string[] = [];
  const { revoked, failures } = await settled([
    ...currentFirst(unexpired).map(
      ({ value }) =>
        () =>
          revokeStored(value, { spec, reason }, ports),
    ),
    ...(compromised ? recent.filter(hasKey) : []).map((each) => async () => {
      const outcome = await revokeUnstored(each, spec, ports);
      if (outcome !== 'ready') return outcome;
      ready.push(each.url);
      return null;
    }),
  ]);
  const renew = current !== undefined && reason !== 'cessationOfOperation';
  if (renew) await ledger.allowIssue(spec.setHash);
  if (failures.length > 0) throw failures.find((each) => each instanceof RenewalsInProgressError) ?? failures[0];
  // The renewal that starts now may fail for a day. The fleet starts it again until it succeeds.
  if (renew) await ledger.recordRevocation(certificate, current.versionId);
  return { revoked, renew, ...(ready.length > 0 && { mayFollow: true }) };
}

/** Lifetime of an order in ms, with reserve. A CSR may be sent until the order expires. */
const orderLifetime = 30 * 86_400_000;

/**
 * Tells whether a certificate of an order, whose key was staged at this time, may be valid. The stored certificates with the key tell for how long
 * the CA issues.
 */
function mayHaveUnexpired(stagedAt: string, affected: readonly StoredCertificate[], now: Date): boolean {
  const lifetimes = affected.map(({ value: { notBefore, notAfter } }) => Date.parse(notAfter) - Date.parse(notBefore));
  return Date.parse(stagedAt) + orderLifetime + Math.max(...lifetimes) > now.getTime();
}

/** The certificate in use is revoked first. */
const currentFirst = (stored: readonly StoredCertificate[]): readonly StoredCertificate[] =>
  stored.toSorted((a, b) => Number(b.current) - Number(a.current));

/** Makes all revocations. If a CA refuses one, for example because a staging directory was reset, the others continue. */
async function settled(revocations: readonly (() => Promise<string | null>)[]) {
  const revoked: string[] = [];
  const failures: unknown[] = [];
  for (const revocation of revocations) {
    try {
      const serialNumber = await revocation();
      if (serialNumber !== null) revoked.push(serialNumber);
    } catch (error) {
      failures.push(error);
    }
  }
  return { revoked, failures };
}

async function revokeStored(
  { certificate, privateKey, serialNumber, directoryUrl }: CertificateSecretValue,
  { spec, reason }: Pick<RevokeCertificateInput, 'spec' | 'reason'>,
  { accounts, acme }: AccountPorts,
): Promise<string> {
  const issuer = issuerAt(directoryUrl, spec);
  const signer = reason === 'keyCompromise' ? { certificateKey: privateKey } : await signingAccount(issuer, accounts);
  await acme.revoke(issuer, signer, certificate, revocationReasons[reason]);
  return serialNumber;
}

/**
 * Revokes the certificate of an order whose key is compromised, if there is one, and returns its serial number. The key of the order may have been
 * replaced before its CSR was sent. Returns `ready` if the CSR may still be sent.
 */
async function revokeUnstored(staged: StagedKey, spec: CertificateSpec, ports: RevokeCertificatePorts) {
  const issuer = issuerAt(staged.directoryUrl, spec);
  const unstored = await unstoredCertificate(staged, { issuer, certificate: spec.name }, ports);
  if ('status' in unstored) return unstored.status === 'ready' ? 'ready' : null;
  const { pem } = unstored;
  const key = createPrivateKey(staged.privateKey);
  const leaf = splitPem(pem).find((each) => each.checkPrivateKey(key));
  if (!leaf || (hasTimes(leaf) && leaf.validToDate <= ports.clock.now())) return null;
  const signer = { certificateKey: staged.privateKey };
  await ports.acme.revoke(issuer, signer, leaf.toString(), revocationReasons.keyCompromise);
  return leaf.serialNumber.toLowerCase();
}

/** Returns the issuer of the certificate. If that issuer is no longer configured, only its directory is known. */
const issuerAt = (directoryUrl: string, { issuer, issuers }: CertificateSpec): Issuer =>
  issuers.find((each) => each.directoryUrl === directoryUrl) ?? {
    ...issuer,
    name: new URL(directoryUrl).host,
    directoryUrl,
  };

async function signingAccount({ name, directoryUrl }: Issuer, accounts: AccountPorts['accounts']) {
  const account = await accounts.read(directoryUrl);
  if (account?.url) return { url: account.url, privateKey: account.privateKey };
  throw new AccountDoesNotExistError({
    what: 'The revocation could not be signed.',
    why: `The account at ${name} (${directoryUrl}) that ordered the certificate is not in Secrets Manager.`,
    remedy: 'If the key is compromised, give {"reason": "keyCompromise"}, which needs no account.',
    issuer: name,
  });
}
