import type { CertificateSpec } from '../domain/contract/config.ts';
import type { Tags } from '../domain/contract/environment.ts';
import { SecretAccessError } from '../domain/contract/errors.ts';
import type { ShareSecretInput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { tagsHash } from '../domain/rules/certificate/resource-tags.ts';
import { accessChanging, accessHash } from '../domain/rules/certificate/secret-sharing.ts';

export interface ShareSecretPorts {
  readonly ledger: Pick<Ledger, 'certificate' | 'recordAccess'>;
  readonly secrets: Pick<CertificateSecrets, 'share'>;
  /** The operator's tags. They are those of this function, because a deployment does not update all functions at once. */
  readonly tags: Tags;
}

type Shared = Omit<ShareSecretInput, 'attempt'>;

/**
 * Gives the secret the tags, readers and replicas that are configured, and removes those of earlier configurations. If the ledger shows that the
 * secret has them, nothing is done. Until all replicas exist, the ledger shows that access is changing. So each fleet run decides `share` again, even
 * if the configuration was reverted.
 *
 * It sets what is configured, so it is safe to run twice.
 *
 * @throws SecretAccessError if Secrets Manager rejects a reader or a replica
 */
export async function shareSecret(
  { certificate, execution, spec }: Shared,
  { ledger, secrets, tags }: ShareSecretPorts,
): Promise<Record<string, never>> {
  const { access, current, tagKeys = [] } = await ledger.certificate(certificate);
  const wanted = accessHash(accessOf(spec, tags), current);
  // `isSharingOutdated` does not suffice, because a new table does not know the readers that the secret may still have.
  if (access === wanted) return {};
  // If no access is configured and none is known, a failed call leaves nothing to do.
  const keys = Object.keys(tags).sort();
  const removedTags = tagKeys.filter((key) => !keys.includes(key));
  const { readers = [], replicas = [] } = spec;
  if (wanted !== '' || access !== undefined)
    await ledger.recordAccess(certificate, execution, accessChanging, [...keys, ...removedTags]);
  const settled = await secrets.share(certificate, { readers, replicas, removedTags });
  if (settled) await ledger.recordAccess(certificate, execution, wanted, keys);
  return {};
}

/** Returns the access that is configured, with the tags of this function. */
export function accessOf(
  { readers = [], replicas = [] }: CertificateSpec,
  tags: Tags,
): Parameters<typeof accessHash>[0] {
  const hash = tagsHash(tags);
  return { readers, replicas, ...(hash !== undefined && { tagsHash: hash }) };
}

/**
 * Shares the secret of a certificate that this step has stored or read. A rejected reader does not delay the delivery. The error is logged, and the
 * next fleet run decides `share`.
 */
export async function shareIfPossible(
  shared: Shared,
  { log, ...ports }: ShareSecretPorts & { readonly log: StepLog },
): Promise<void> {
  await shareSecret(shared, ports).catch((error: unknown) => {
    if (!(error instanceof SecretAccessError)) throw error;
    log.error(`Certificate ${shared.certificate} is stored. ${error.message}`, { error });
  });
}
