import { createAcme } from '../acme/acme.ts';
import { newPrivateKey } from '../acme/private-keys.ts';
import { readTrustedRoots } from '../acme/trusted-roots.ts';
import { userAgent } from '../acme/user-agent.ts';
import { createAccountSecrets } from '../aws/account-secrets.ts';
import { createCertificateSecrets } from '../aws/certificate-secrets.ts';
import { createCertificateVersions } from '../aws/certificate-versions.ts';
import { clock, stepHandler } from '../aws/lambda.ts';
import { createLedger } from '../aws/ledger.ts';
import type { RevokeCertificateInput } from '../rules/account-request.ts';
import type { FinalizeOrderInput, ReadCertificateInput, StoreCertificateInput } from '../rules/contract.ts';
import { environment, requireVariable } from '../rules/environment.ts';
import { finalizeOrder } from './finalize-order.ts';
import { readCertificate } from './read-certificate.ts';
import { revokeCertificate } from './revoke-certificate.ts';
import { storeCertificate } from './store-certificate.ts';

/** Key, CSR, chain and secret. Reads the account key; writes certificate secrets. */
export const handler = stepHandler((log, atEnd) => {
  const stackTag = requireVariable(process.env, environment.stackTag);
  const prefix = requireVariable(process.env, environment.secretPrefix);
  const acme = createAcme({ userAgent, ...readTrustedRoots(), now: clock.now });
  atEnd(acme.close);
  const ports = {
    accounts: createAccountSecrets({ prefix: requireVariable(process.env, environment.accountSecretPrefix), stackTag }),
    acme,
    ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
    secrets: createCertificateSecrets({ prefix, stackTag, kmsKeyId: process.env[environment.encryptionKey] }),
    versions: createCertificateVersions({ prefix }),
    newPrivateKey,
    clock,
    log,
  };
  return {
    finalizeOrder: (input: FinalizeOrderInput) => finalizeOrder(input, ports),
    storeCertificate: (input: StoreCertificateInput) => storeCertificate(input, ports),
    readCertificate: (input: ReadCertificateInput) => readCertificate(input, ports),
    revokeCertificate: (input: RevokeCertificateInput) => revokeCertificate(input, ports),
  };
});
