import type { Delivery, NewArnReason } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import type { Tags } from '../domain/contract/environment.ts';
import { ImportRefusedError, UnexpectedError, UnreadableSecretError } from '../domain/contract/errors.ts';
import type { ImportCertificateInput, ImportCertificateOutput } from '../domain/contract/steps.ts';
import type { AcmCertificates } from '../domain/ports/acm-certificates.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { importProblem } from '../domain/rules/certificate/acm-import.ts';
import { tagsHash } from '../domain/rules/certificate/resource-tags.ts';
import { isVersionOfStack } from '../domain/rules/certificate/stack-version.ts';

export interface ImportCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: Pick<CertificateSecrets, 'readCurrent'>;
  readonly acm: AcmCertificates;
  readonly log: StepLog;
  /** The operator's tags, as `acm` sets them. */
  readonly tags: Tags;
}

/**
 * Imports the current certificate into ACM of one region. The leaf certificate and the chain are separate fields there. The import keeps the ARN
 * that consumers use. The ledger records the ARN immediately after the import, and an ARN whose reply was lost is found by its tags.
 *
 * A new ARN is needed if ACM rejects the certificate over the old one (`NewArnReason`), or if the old one was deleted by hand. The ledger keeps what
 * the operator has to do about it, so that the next successful run publishes it even if this run fails later. The old ARN is not changed.
 *
 * The first import of a certificate uses an existing ARN if it has the tags of this stack. If only one tag differs, a warning names the ARN.
 *
 * A version that is already delivered is not imported again, so the step is safe to run twice. If the operator's tags have changed since, they are set.
 * An import over an ARN does not set them. The next run does it, so that tags which ACM rejects do not hide that the certificate was imported.
 *
 * @throws ImportRefusedError if ACM would reject the certificate because of its key
 * @throws UnreadableSecretError if another writer has stored a value in the secret in the meantime
 */
export async function importCertificate(
  { certificate, execution, region, current }: ImportCertificateInput,
  { ledger, secrets, acm, tags, log }: ImportCertificatePorts,
): Promise<ImportCertificateOutput> {
  const { deliveries } = await ledger.certificate(certificate);
  const before = deliveries[region] ?? null;
  const hash = tagsHash(tags);
  const isDeleted = before?.found === null;
  if (before?.versionId === current.versionId && !isDeleted) {
    if (before.tagsHash === hash) return outputOf(region, before, false);
    if ((await acm.tag(region, certificate, before.arn)) === 'tagged') {
      await ledger.recordDelivery(certificate, execution, region, withTags(before, hash));
      return { ...outputOf(region, before, false), tagged: true };
    }
    // The import was deleted by hand.
  }

  const { versionId, value } = await secrets.readCurrent(certificate);
  // Another run has stored a newer version and has already delivered it.
  if (before?.versionId === versionId && versionId !== current.versionId) return outputOf(region, before, false);
  if (!isVersionOfStack(versionId) && versionId !== current.versionId)
    throw notStoredByStack(certificate, region, versionId);
  const problem = importProblem(value);
  if (problem) {
    throw new ImportRefusedError({
      what: `ACM in ${region} would reject the certificate.`,
      why: problem.why,
      remedy: `${problem.remedy} The certificate is stored in its secret.`,
      certificate,
      region,
    });
  }
  const known = before && before.keyType === value.keyType ? before.arn : null;
  const { arn, obstacle, created } = await importOver(known, {
    region,
    certificate,
    value,
    acm,
    log,
    isFirst: !before,
  });

  const replaced = before &&
    obstacle &&
    before.arn !== arn && { arn: before.arn, action: toDo(before.arn, arn, obstacle) };
  const { keyType, notBefore, notAfter } = value;
  const imported = { arn, versionId, keyType, notBefore, notAfter, ...(replaced && { replaced }) };
  const delivery = withTags(imported, created ? hash : before?.arn === arn ? before.tagsHash : undefined);
  await ledger.recordDelivery(certificate, execution, region, delivery);
  return outputOf(region, delivery, true);
}

const notStoredByStack = (certificate: string, region: string, versionId: string): UnreadableSecretError =>
  new UnreadableSecretError({
    what: `The certificate was not imported into ACM in ${region}.`,
    why: `AWSCURRENT is now version ${versionId}, which this stack did not store.`,
    remedy: 'Move AWSCURRENT back, or start the renewal with force. It issues and stores a new certificate.',
    certificate,
    region,
  });

/** Warns of imports that an operator probably prepared for this certificate, but that do not have the right tags. */
async function warnOfSimilar(
  region: string,
  {
    certificate,
    value: { identifiers, keyType },
    acm,
    log,
  }: Pick<ImportCertificatePorts, 'acm' | 'log'> & {
    readonly certificate: string;
    readonly value: CertificateSecretValue;
  },
): Promise<void> {
  for (const { arn, tag, value, expected } of await acm.similar(region, certificate, identifiers, keyType))
    log.warn(
      `Certificate ${certificate} gets a new ARN in ${region}, although ${arn} has most of its tags. The tag ${tag} of that ARN ${value === null ? 'is missing' : `is "${value}"`}, and this stack sets "${expected}". If that ARN is to be renewed, correct its tag and delete the new ARN from ACM.`,
    );
}

const withTags = ({ tagsHash: _, ...delivery }: Delivery, hash: string | undefined): Delivery => ({
  ...delivery,
  ...(hash !== undefined && { tagsHash: hash }),
});

function outputOf(region: string, { arn, replaced }: Delivery, imported: boolean): ImportCertificateOutput {
  return { region, arn, replaces: replaced?.arn ?? null, action: replaced?.action ?? null, imported, tagged: false };
}

/** Why the ARN in the ledger cannot be used. */
type Obstacle = 'notFound' | NewArnReason;

const reasons: Readonly<Record<NewArnReason, string>> = {
  keyChanged: 'The key type or size has changed, which ACM does not allow for an existing ARN.',
  namesChanged: 'The certificate has none of the old names, and ACM requires at least one of them for an existing ARN.',
  usageRemoved:
    'The certificate lacks a key usage or an extended key usage of the old one, and ACM does not allow its removal for an existing ARN.',
};

/** Returns what the operator has to do. Both ARNs contain the region, so the text does not repeat it. */
const toDo = (before: string, arn: string, obstacle: Obstacle): string =>
  obstacle === 'notFound'
    ? `Use ${arn} wherever ${before} was used. The old ARN was deleted from ACM, so the certificate has a new one.`
    : `Replace ${before} by ${arn} wherever it is used. ${reasons[obstacle]} The old ARN keeps its certificate, which is not renewed.`;

async function importOver(
  known: string | null,
  {
    region,
    certificate,
    value,
    acm,
    log,
    isFirst,
  }: Pick<ImportCertificatePorts, 'acm' | 'log'> & {
    readonly region: string;
    readonly certificate: string;
    readonly value: CertificateSecretValue;
    readonly isFirst: boolean;
  },
): Promise<{ readonly arn: string; readonly obstacle: Obstacle | null; readonly created: boolean }> {
  // Without a known ARN, either the key type has changed, or this is the first import, which replaces no ARN.
  const first = known === null ? 'keyChanged' : await acm.import(region, certificate, value, known);
  if (typeof first === 'object') return { arn: first.arn, obstacle: null, created: false };
  // A new ARN is needed. An earlier attempt whose reply was lost may already have created it.
  const found = await acm.find(region, certificate, value.identifiers, value.keyType);
  if (found === null && isFirst) await warnOfSimilar(region, { certificate, value, acm, log });
  for (const arn of found === null || found === known ? [null] : [found, null]) {
    const result = await acm.import(region, certificate, value, arn);
    if (typeof result === 'object') return { arn: result.arn, obstacle: first, created: arn === null };
  }
  throw new UnexpectedError({
    what: `The certificate could not be imported into ACM in ${region}.`,
    why: 'ACM rejected every existing ARN and a new one.',
    remedy: 'The import is retried. Read the log of the delivery function if this repeats.',
    certificate,
    region,
  });
}
