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
  readonly versions: CertificateVersions;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Revokes a certificate. RFC 8555 §7.6. A compromised key takes every unexpired certificate on it along, also those of earlier renewals
 * that kept the key: each is revoked with that key itself, which works whatever has become of the account, and no certificate is made
 * with it again. For other reasons it is the named one, and the account signs. The next certificate may pass the issue cap.
 *
 * The version is named, so a repetition revokes the same; a certificate that is revoked already counts as done.
 */
export async function revokeCertificate(
  { certificate, spec, versionId, reason }: RevokeCertificateInput,
  { accounts, acme, ledger, versions, clock }: RevokeCertificatePorts,
): Promise<RevokeCertificateOutput> {
  const stored = await versions.list(certificate);
  const named = stored.find((each) => each.versionId === versionId);
  if (!named) {
    throw new UnreadableSecretError({
      what: `Nothing was revoked: version ${versionId} of the secret holds no certificate any more.`,
      remedy: 'Start the revocation again, for the version that is current now.',
      certificate,
    });
  }
  const compromised = reason === 'keyCompromise';
  const key = publicKeyOf(named);
  const affected = compromised ? stored.filter((each) => publicKeyOf(each) === key) : [named];
  const current = affected.find((each) => each.current);
  // First: from now on no renewal reuses the key, whatever becomes of this run.
  if (compromised && current) {
    await versions.markCompromised(certificate, current.versionId);
    await ledger.recordRevocation(certificate, current.versionId);
  }

  const now = clock.now().getTime();
  const unexpired = affected.filter(({ value }) => Date.parse(value.notAfter) > now);
  const failures: unknown[] = [];
  // The one in use first. A CA that refuses one of them, a staging directory that has forgotten it say, keeps none of the others valid.
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
  // The run that is started now may fail for a day: until it succeeds the fleet goes on.
  if (renew) await ledger.recordRevocation(certificate, current.versionId);
  return { revoked: unexpired.map(({ value }) => value.serialNumber), renew };
}

const currentFirst = (stored: readonly StoredCertificate[]): readonly StoredCertificate[] =>
  stored.toSorted((a, b) => Number(b.current) - Number(a.current));

const publicKeyOf = ({ value }: StoredCertificate): string =>
  new X509Certificate(value.certificate).publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** The CA that issued it, also when the configuration has moved on to another since: then only its directory is known. */
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
    what: `The revocation cannot be signed: the account at ${name} (${directoryUrl}) that ordered the certificate is not in Secrets Manager.`,
    remedy: 'Where the key is compromised, {"reason": "keyCompromise"} needs no account.',
    issuer: name,
  });
}
