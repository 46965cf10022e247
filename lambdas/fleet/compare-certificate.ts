import type { CertificateFacts, Delivery, OutsideChange, Validity } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../domain/contract/config.ts';
import type { Tags } from '../domain/contract/environment.ts';
import { ThrottledError } from '../domain/contract/errors.ts';
import type { AcmCertificates } from '../domain/ports/acm-certificates.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Comparison } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import { compareImport, compareSecret, isAsDelivered } from '../domain/rules/certificate/outside-changes.ts';

export interface CompareCertificatePorts {
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
  readonly acm: Pick<AcmCertificates, 'list' | 'describe'>;
  /** Returns the tags that this stack sets on the secret of a certificate. */
  readonly secretTags: (certificate: string) => Tags;
}

/** The result of comparing one certificate in Secrets Manager and ACM with the ledger. */
export type ComparedCertificate = Pick<Comparison, 'versionId' | 'imports'> & {
  readonly storedVersion: string | null;
  readonly changes: readonly OutsideChange[];
};

/**
 * Returns a function that compares one certificate. It lists the imports of a region at most once. A region that cannot be listed is left out, and
 * `failed` is called for it once.
 */
export function certificateComparer(
  { secrets, acm, secretTags }: CompareCertificatePorts,
  failed: (region: string, error: unknown) => void,
) {
  const lists = new Map<string, Promise<ReadonlyMap<string, Validity> | null>>();
  const listed = (region: string): Promise<ReadonlyMap<string, Validity> | null> => {
    const list =
      lists.get(region) ??
      acm.list(region).catch((error: unknown) => {
        if (error instanceof ThrottledError) throw error;
        failed(region, error);
        return null;
      });
    lists.set(region, list);
    return list;
  };

  async function compareRegion(name: string, current: CertificateFacts, region: string, delivery: Delivery) {
    const { arn } = delivery;
    const imports = await listed(region);
    if (imports === null) return [];
    if (isAsDelivered(delivery, imports.get(arn))) return [{ region, arn, found: undefined, changes: [] }];
    // The list may lack an import of the last minutes.
    return [{ region, arn, ...compareImport(delivery, current, await acm.describe(region, name, arn)) }];
  }

  return async function compareCertificate(
    { name, regions }: CertificateSpec,
    current: CertificateFacts,
    { deliveries }: LedgerCertificate,
  ): Promise<ComparedCertificate> {
    const delivered = regions.flatMap((region) => {
      const delivery = deliveries[region];
      return delivery ? [{ region, delivery }] : [];
    });
    const [secret, ...regionsCompared] = await Promise.all([
      secrets.describe(name),
      ...delivered.map(({ region, delivery }) => compareRegion(name, current, region, delivery)),
    ]);
    const imports = regionsCompared.flat();
    const { storedVersion, changes } = compareSecret(current, secret, secretTags(name));
    return {
      versionId: current.versionId,
      storedVersion,
      imports: Object.fromEntries(imports.map(({ region, arn, found }) => [region, { arn, found }])),
      changes: [...changes, ...imports.flatMap((each) => each.changes)],
    };
  };
}
