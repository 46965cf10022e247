import type { Delivery, ImportCertificateInput, ImportCertificateOutput } from '../rules/contract.ts';
import type { AcmCertificates, CertificateSecrets, CertificateSecretValue, Ledger } from '../rules/ports.ts';

export interface ImportCertificatePorts {
  readonly ledger: Ledger;
  readonly secrets: Pick<CertificateSecrets, 'readCurrent'>;
  readonly acm: AcmCertificates;
}

/**
 * Copies the current certificate into ACM of one region: leaf and chain apart, over the ARN that consumers hold. The ARN is in the
 * ledger at once; one whose reply was lost is found by its tags. Another key type or size needs a new ARN (ACM refuses it
 * over the old one), which is reported and the old left alone.
 *
 * A version that is delivered already needs no call, so running it twice is running it once.
 */
export async function importCertificate(
  { certificate, execution, region, current }: ImportCertificateInput,
  { ledger, secrets, acm }: ImportCertificatePorts,
): Promise<ImportCertificateOutput> {
  const { deliveries } = await ledger.certificate(certificate);
  const before = deliveries[region] ?? null;
  if (before?.versionId === current.versionId) return { region, arn: before.arn, replaces: null };

  const { versionId, value } = await secrets.readCurrent(certificate);
  const keep = before && before.keyType === value.keyType ? before.arn : null;
  const known = keep ?? (await acm.find(region, certificate, value.identifiers, value.keyType));
  const arn = await importOver(known, { region, certificate, value, acm });

  const delivery: Delivery = { arn, versionId, keyType: value.keyType };
  await ledger.recordDelivery(certificate, execution, region, delivery);
  return { region, arn, replaces: before && before.arn !== arn ? before.arn : null };
}

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
): Promise<string> {
  const result = await acm.import(region, certificate, value, known);
  if (typeof result === 'object') return result.arn;
  // Deleted by hand, or of another key after all: ACM wants a new ARN, which a try whose reply was lost may have made already.
  const found = await acm.find(region, certificate, value.identifiers, value.keyType);
  const afresh = await acm.import(region, certificate, value, found === known ? null : found);
  if (typeof afresh === 'object') return afresh.arn;
  throw new Error(`ACM in ${region} answered ${afresh} to an import of certificate ${certificate} under a new ARN.`);
}
