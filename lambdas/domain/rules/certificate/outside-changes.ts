import type { CertificateFacts, Delivery, OutsideChange, Validity } from '../../contract/certificate-facts.ts';
import { tags as ownTags, type Tags } from '../../contract/environment.ts';
import { restoreCommand, secretOptions } from '../../contract/secret-commands.ts';
import type { ImportDescription, TagDifference } from '../../ports/acm-certificates.ts';
import type { SecretDescription } from '../../ports/certificate-secrets.ts';
import { isSameSerial } from './endpoints.ts';
import { isVersionOfStack } from './stack-version.ts';

/** The result of comparing a secret. `storedVersion` is as in `OutsideChanges`. */
interface ComparedSecret {
  readonly storedVersion: string | null;
  readonly changes: readonly OutsideChange[];
}

/**
 * Compares a secret with the certificate that the ledger has. `tags` are the tags that this stack sets. If the secret cannot be used, `storedVersion` is
 * that of the ledger, because an execution could only fail. The certificate is then reported and not started.
 */
export function compareSecret(current: CertificateFacts, secret: SecretDescription | null, tags: Tags): ComparedSecret {
  const { secretArn, versionId } = current;
  if (secret === null) return { storedVersion: null, changes: [secretDeleted(secretArn, 'The secret was deleted.')] };
  const { arn, owned, deletedAt, currentVersion: storedVersion } = secret;
  const lost = Object.entries(tags).flatMap(([tag, expected]) =>
    secret.tags[tag] === expected ? [] : [{ tag, expected }],
  );
  const changes = [
    ...(deletedAt === null ? [] : [scheduledForDeletion(arn, deletedAt)]),
    ...(lost.length === 0 ? [] : [secretTagsLost(arn, lost)]),
  ];
  if (!owned || deletedAt !== null || storedVersion === versionId) return { storedVersion: versionId, changes };
  const change =
    storedVersion === null
      ? secretDeleted(arn, 'The secret holds no certificate.')
      : isVersionOfStack(storedVersion)
        ? versionMoved(arn, versionId, storedVersion)
        : valueReplaced(arn, versionId, storedVersion);
  return { storedVersion, changes: [...changes, change] };
}

/**
 * Tells whether an import is what was delivered, by what ListCertificates returns. It returns no serial number, so the times decide. Two
 * certificates of one name rarely have the same times to the second.
 */
export function isAsDelivered(delivery: Delivery, listed: Validity | undefined): boolean {
  return listed !== undefined && isSameValidity(delivery, listed);
}

/** Compares an import that `isAsDelivered` rejected. `described` is `null` if the ARN does not exist. */
export function compareImport(
  delivery: Delivery,
  current: CertificateFacts,
  described: ImportDescription | null,
): { readonly found: Delivery['found']; readonly changes: readonly OutsideChange[] } {
  const { arn } = delivery;
  if (described === null) return { found: null, changes: [importDeleted(arn)] };
  const { notBefore, notAfter, serialNumber, differentTags } = described;
  const isReplaced =
    !isSameValidity(delivery, described) ||
    (delivery.versionId === current.versionId && !isSameSerial(serialNumber, current.serialNumber));
  const lost = differentTags.filter(({ tag }) => importTags.includes(tag));
  return {
    found: isReplaced ? { notBefore, notAfter } : undefined,
    changes: [
      ...(isReplaced ? [importReplaced(delivery, described)] : []),
      ...(lost.length > 0 ? [importTagsLost(arn, lost)] : []),
    ],
  };
}

/** A tag of this stack that is missing or has another value. */
type LostTag = Pick<TagDifference, 'tag' | 'expected'>;

/** Tags without which an import is not found, or not imported over. */
const importTags: readonly string[] = [ownTags.stack, ownTags.certificate, ownTags.secrets];

const isSameValidity = (a: Validity, b: Validity): boolean =>
  Date.parse(a.notBefore) === Date.parse(b.notBefore) && Date.parse(a.notAfter) === Date.parse(b.notAfter);

const secretDeleted = (resource: string, detail: string): OutsideChange => ({
  kind: 'secretDeleted',
  resource,
  detail,
  action:
    'Perennial issues a new certificate. A secret that is created again has another ARN, so change policies and programs that name the ARN.',
});

const scheduledForDeletion = (resource: string, at: string): OutsideChange => ({
  kind: 'secretScheduledForDeletion',
  resource,
  detail: `The secret is scheduled for deletion (${at}).`,
  action: `Readers get an error, and the certificate is not renewed. Run "${restoreCommand(resource)}", or remove the certificate from the configuration.`,
});

const secretTagsLost = (resource: string, lost: readonly LostTag[]): OutsideChange => ({
  kind: 'secretTagsLost',
  resource,
  detail: lostTags(lost),
  action: `Perennial renews no certificate in a secret without the tag ${ownTags.stack}. Run "aws secretsmanager tag-resource ${secretOptions(resource)} --tags ${tagArguments(lost)}".`,
});

const versionMoved = (resource: string, from: string, to: string): OutsideChange => ({
  kind: 'versionMoved',
  resource,
  detail: `AWSCURRENT was moved from version ${from} to version ${to}, which this stack stored.`,
  action: 'Perennial adopts the certificate of that version and delivers it. It is renewed when it is due.',
});

const valueReplaced = (resource: string, from: string, to: string): OutsideChange => ({
  kind: 'valueReplaced',
  resource,
  detail: `AWSCURRENT is version ${to}, which this stack did not store. It had stored version ${from}.`,
  action:
    'Perennial neither delivers that value nor replaces it before the next renewal is due. To replace it now, start the renewal with force. To keep it, ' +
    'remove the certificate from the configuration.',
});

const importDeleted = (resource: string): OutsideChange => ({
  kind: 'importDeleted',
  resource,
  detail: 'The certificate was deleted from ACM.',
  action:
    'Perennial imports the certificate under a new ARN, which the event Certificate Renewed names. Use it instead.',
});

function importReplaced(
  { arn, notAfter }: Delivery,
  { serialNumber, notAfter: foundNotAfter }: ImportDescription,
): OutsideChange {
  return {
    kind: 'importReplaced',
    resource: arn,
    detail: `ACM has certificate ${serialNumber} under this ARN, which expires on ${foundNotAfter}. Perennial imported one that expires on ${notAfter}.`,
    action: 'The next renewal imports over it. To replace it now, start the renewal with force.',
  };
}

const importTagsLost = (resource: string, lost: readonly LostTag[]): OutsideChange => ({
  kind: 'importTagsLost',
  resource,
  detail: lostTags(lost),
  action: `Perennial may not import over a certificate without its tags. Run "aws acm add-tags-to-certificate --region ${resource.split(':')[3]} --certificate-arn ${resource} --tags ${tagArguments(lost)}".`,
});

const lostTags = (lost: readonly LostTag[]): string =>
  `Tags are missing or have another value: ${lost.map(({ tag }) => tag).join(', ')}.`;

const tagArguments = (lost: readonly LostTag[]): string =>
  lost.map(({ tag, expected }) => `Key=${tag},Value=${expected}`).join(' ');
