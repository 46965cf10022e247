import type { Delivery, NewArnReason } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import { ImportRefusedError, UnexpectedError } from '../domain/contract/errors.ts';
import type { ImportCertificateInput, ImportCertificateOutput } from '../domain/contract/steps.ts';
import type { AcmCertificates } from '../domain/ports/acm-certificates.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { importProblem } from '../domain/rules/certificate/acm-import.ts';

export interface ImportCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: Pick<CertificateSecrets, 'readCurrent'>;
  readonly acm: AcmCertificates;
}

/**
 * Copies the current certificate into ACM of one region: leaf and chain apart, over the ARN that consumers hold. The ARN is in the
 * ledger at once; one whose reply was lost is found by its tags. What ACM refuses over the old ARN (`NewArnReason`) needs a new one,
 * and so does a deletion by hand: the ledger keeps what a person has to do about it, so that it is told by the run
 * that succeeds, whichever that is, and the old ARN is left alone.
 *
 * A version that is delivered already needs no call, so running it twice is running it once.
 */
export async function importCertificate(
  { certificate, execution, region, current }: ImportCertificateInput,
  { ledger, secrets, acm }: ImportCertificatePorts,
): Promise<ImportCertificateOutput> {
  const { deliveries } = await ledger.certificate(certificate);
  const before = deliveries[region] ?? null;
  if (before?.versionId === current.versionId) return outputOf(region, before, false);

  const { versionId, value } = await secrets.readCurrent(certificate);
  // Newer than this run knows of, and delivered by the one that stored it.
  if (before?.versionId === versionId) return outputOf(region, before, false);
  const problem = importProblem(value);
  if (problem) {
    throw new ImportRefusedError({
      what: `ACM in ${region} would refuse the certificate.`,
      why: `${problem}.`,
      remedy: 'The certificate is safe in its secret.',
      certificate,
      region,
    });
  }
  const known = before && before.keyType === value.keyType ? before.arn : null;
  const { arn, obstacle } = await importOver(known, { region, certificate, value, acm });

  const replaced = before &&
    obstacle &&
    before.arn !== arn && { arn: before.arn, action: toDo(before.arn, arn, obstacle) };
  const delivery: Delivery = { arn, versionId, keyType: value.keyType, ...(replaced && { replaced }) };
  await ledger.recordDelivery(certificate, execution, region, delivery);
  return outputOf(region, delivery, true);
}

function outputOf(region: string, { arn, replaced }: Delivery, imported: boolean): ImportCertificateOutput {
  return { region, arn, replaces: replaced?.arn ?? null, action: replaced?.action ?? null, imported };
}

/** Why the ARN that the ledger has was left. */
type Obstacle = 'notFound' | NewArnReason;

const reasons: Readonly<Record<NewArnReason, string>> = {
  keyChanged: 'ACM keeps the key type and size of an ARN, and those of the certificate have changed',
  namesChanged: 'ACM keeps at least one name of an ARN, and the certificate has none of the names that are there',
  usageRemoved: 'ACM takes no key usage from an ARN, extended or not, and the certificate has one less',
};

/** The region is in both ARNs. */
const toDo = (before: string, arn: string, obstacle: Obstacle): string =>
  obstacle === 'notFound'
    ? `Use ${arn} wherever ${before} was used: that was deleted from ACM, so the certificate has a new ARN.`
    : `Replace ${before} by ${arn} wherever it is used: ${reasons[obstacle]}. The old one stays as it is and is not renewed.`;

async function importOver(
  known: string | null,
  {
    region,
    certificate,
    value,
    acm,
  }: {
    readonly region: string;
    readonly certificate: string;
    readonly value: CertificateSecretValue;
    readonly acm: AcmCertificates;
  },
): Promise<{ readonly arn: string; readonly obstacle: Obstacle | null }> {
  // No ARN is known for another key type, or for the first import of all, which replaces none.
  const first = known === null ? 'keyChanged' : await acm.import(region, certificate, value, known);
  if (typeof first === 'object') return { arn: first.arn, obstacle: null };
  // Deleted by hand, or not to be imported over: ACM wants a new ARN, which a try whose reply was lost may have made already.
  const found = await acm.find(region, certificate, value.identifiers, value.keyType);
  for (const arn of found === null || found === known ? [null] : [found, null]) {
    const result = await acm.import(region, certificate, value, arn);
    if (typeof result === 'object') return { arn: result.arn, obstacle: first };
  }
  throw new UnexpectedError({
    what: `The certificate could not be imported into ACM in ${region}: every existing ARN was rejected.`,
    certificate,
    region,
  });
}
