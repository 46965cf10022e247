import { createAcmCertificates } from '../aws/acm-certificates.ts';
import { createCertificateSecrets } from '../aws/certificate-secrets.ts';
import { stepHandler } from '../aws/lambda.ts';
import { createLedger } from '../aws/ledger.ts';
import type { ImportCertificateInput } from '../rules/contract.ts';
import { environment, requireVariable } from '../rules/environment.ts';
import { importCertificate } from './import-certificate.ts';

/** Copies certificates into ACM. Reads certificate secrets, and talks to no CA. */
export const handler = stepHandler(() => {
  const stackTag = requireVariable(process.env, environment.stackTag);
  const prefix = requireVariable(process.env, environment.secretPrefix);
  return {
    importCertificate: (input: ImportCertificateInput) =>
      importCertificate(input, {
        ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
        secrets: createCertificateSecrets({ prefix, stackTag }),
        // Lambda sets its region.
        acm: createAcmCertificates({ stackTag, secretsTag: `${requireVariable(process.env, 'AWS_REGION')}/${prefix}` }),
      }),
  };
});
