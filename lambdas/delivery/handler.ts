import { createAcmCertificates } from '../adapters/aws/acm/acm-certificates.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createCertificateSecrets } from '../adapters/aws/secrets-manager/certificate-secrets.ts';
import { environment, readTags, requireVariable } from '../domain/contract/environment.ts';
import type { ImportCertificateInput } from '../domain/contract/steps.ts';
import { importCertificate } from './import-certificate.ts';

/** The delivery function. It imports certificates into ACM. It reads certificate secrets and does not contact the CA. */
export const handler = stepHandler((log) => {
  const stackTag = requireVariable(process.env, environment.stackTag);
  const prefix = requireVariable(process.env, environment.secretPrefix);
  const tags = readTags(process.env);
  return {
    importCertificate: (input: ImportCertificateInput) =>
      importCertificate(input, {
        log,
        ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
        secrets: createCertificateSecrets({ prefix, stackTag }),
        acm: createAcmCertificates({
          stackTag,
          // Lambda sets AWS_REGION.
          secretsTag: `${requireVariable(process.env, 'AWS_REGION')}/${prefix}`,
          tags,
        }),
        tags,
      }),
  };
});
