import type { AcmCertificates } from '../../../domain/ports/acm-certificates.ts';
import { findImport, similarImports } from './find-import.ts';
import { importIntoAcm } from './import-into-acm.ts';
import { type RegionalAcm, warmClientFor } from './regional-acm.ts';

/** Imports into ACM, in any region. */
export function createAcmCertificates({
  clientFor = warmClientFor,
  ...stack
}: Pick<RegionalAcm, 'stackTag' | 'secretsTag'> & Partial<Pick<RegionalAcm, 'clientFor'>>): AcmCertificates {
  const acmIn = (region: string): RegionalAcm => ({ region, clientFor, ...stack });
  return {
    find: (region, ...of) => findImport(acmIn(region), ...of),
    similar: (region, ...of) => similarImports(acmIn(region), ...of),
    import: (region, ...what) => importIntoAcm(acmIn(region), ...what),
  };
}
