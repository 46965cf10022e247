import type { AcmCertificates } from '../../../domain/ports/acm-certificates.ts';
import { findImport, similarImports } from './find-import.ts';
import { importIntoAcm, tagImport } from './import-into-acm.ts';
import { describeImport, listImports } from './read-imports.ts';
import { type RegionalAcm, warmClientFor } from './regional-acm.ts';

/** The imports in ACM, in any region. */
export function createAcmCertificates({
  clientFor = warmClientFor,
  tags = {},
  ...stack
}: Pick<RegionalAcm, 'stackTag' | 'secretsTag'> & Partial<Pick<RegionalAcm, 'clientFor' | 'tags'>>): AcmCertificates {
  const acmIn = (region: string): RegionalAcm => ({ region, clientFor, tags, ...stack });
  return {
    find: (region, ...of) => findImport(acmIn(region), ...of),
    similar: (region, ...of) => similarImports(acmIn(region), ...of),
    list: (region) => listImports(acmIn(region)),
    describe: (region, ...which) => describeImport(acmIn(region), ...which),
    tag: (region, ...what) => tagImport(acmIn(region), ...what),
    import: (region, ...what) => importIntoAcm(acmIn(region), ...what),
  };
}
