import { X509Certificate } from 'node:crypto';
import type { RevokeCertificateInput, RevokeCertificateOutput } from '../domain/contract/account-request.ts';
import type { CertificateSpec, Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError, UnreadableSecretError } from '../domain/contract/errors.ts';
import { revocationReasons } from '../domain/contract/revocation-reason.ts';
import type { AccountSecrets } from '../domain/ports/account-secrets.ts';
import type { Acme } from '../domain/ports/acme.ts';
import type { CertificateVersions, StoredCertificate } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';

export interface RevokeCertificatePorts {
  readonly accounts: Pick<AccountSecrets, 'read'>;
  readonly acme: Pick<Acme, 'revoke'>;
  readonly ledger: Pick<Ledger, 'allowIssue' | 'recordRevocation'>;
  readonly versions: Pick<CertificateVersions, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Revokes a certificate. RFC 8555 §7.6. If its key is compromised, every unexpired certificate with that key is revoked, including those of earlier
 * renewals with `reuseKey`. The compromised key itself signs these requests, so they need no account. *Mark compromised key* has marked it before. For
 * other reasons only the named certificate is revoked, and the account signs the request. The next certificate may pass the issue cap.
 *
 * The versions are listed here, with the lease of the certificate, because a renewal may have stored a certificate since the request.
 *
 * The input names the version, so a second run revokes the same certificates. A certificate that is already revoked is a success.
 *
 * @throws UnreadableSecretError if the version holds no certificate
 * @throws AccountDoesNotExistError if the account that has to sign is not stored
 */
export async function revokeCertificate(
  { certificate, spec, versionId, reason }: RevokeCertificateInput,
  { accounts, acme, ledger, versions, clock }: RevokeCertificatePorts,
): Promise<RevokeCertificateOutput> {
  const stored = await versions.list(certificate);
  const named = stored.find((each) => each.versionId === versionId);
  if (!named) {
    throw new UnreadableSecretError({
      what: 'Nothing was revoked.',
      why: `Version ${versionId} of the secret no longer holds a certificate.`,
      remedy: 'Start the revocation again. It then revokes the version that is current.',
      certificate,
    });
  }
  const compromised = reason === 'keyCompromise';
  const key = publicKeyOf(named);
  const affected = compromised ? stored.filter((each) => publicKeyOf(each) === key) : [named];
  const current = affected.find((each) => each.current);
  // Before the revocation, so that a renewal is due even if this execution fails.
  if (compromised && current) await ledger.recordRevocation(certificate, current.versionId);

  const now = clock.now().getTime();
  const unexpired = affected.filter(({ value }) => Date.parse(value.notAfter) > now);
  const failures: unknown[] = [];
  // The certificate in use is revoked first. If a CA refuses one revocation, for example because a staging directory was reset, the others continue.
  for (const { value } of currentFirst(unexpired)) {
    try {
      const issuer = issuerAt(value.directoryUrl, spec);
      const signer = compromised ? { certificateKey: value.privateKey } : await connectStoredAccount(issuer, accounts);
      await acme.revoke(issuer, signer, value.certificate, revocationReasons[reason]);
    } catch (error) {
      failures.push(error);
    }
  }
  const renew = current !== undefined && reason !== 'cessationOfOperation';
  if (renew) await ledger.allowIssue(spec.setHash);
  if (failures.length > 0) throw failures[0];
  // The renewal that starts now may fail for a day. The fleet starts it again until it succeeds.
  if (renew) await ledger.recordRevocation(certificate, current.versionId);
  return { revoked: unexpired.map(({ value }) => value.serialNumber), renew };
}

const currentFirst = (stored: readonly StoredCertificate[]): readonly StoredCertificate[] =>
  stored.toSorted((a, b) => Number(b.current) - Number(a.current));

const publicKeyOf = ({ value }: StoredCertificate): string =>
  new X509Certificate(value.certificate).publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** Returns the issuer of the certificate. If that issuer is no longer configured, only its directory is known. */
const issuerAt = (directoryUrl: string, { issuer, issuers }: CertificateSpec): Issuer =>
  issuers.find((each) => each.directoryUrl === directoryUrl) ?? {
    ...issuer,
    name: new URL(directoryUrl).host,
    directoryUrl,
  };

async function connectStoredAccount({ name, directoryUrl }: Issuer, accounts: RevokeCertificatePorts['accounts']) {
  const account = await accounts.read(directoryUrl);
  if (account?.url) return { url: account.url, privateKey: account.privateKey };
  throw new AccountDoesNotExistError({
    what: 'The revocation could not be signed.',
    why: `The account at ${name} (${directoryUrl}) that ordered the certificate is not in Secrets Manager.`,
    remedy: 'If the key is compromised, give {"reason": "keyCompromise"}, which needs no account.',
    issuer: name,
  });
}
