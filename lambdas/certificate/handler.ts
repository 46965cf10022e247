import { createAcme } from '../adapters/acme/acme.ts';
import { newPrivateKey } from '../adapters/acme/private-keys.ts';
import { readTrustedRoots } from '../adapters/acme/trusted-roots.ts';
import { userAgent } from '../adapters/acme/user-agent.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createAccountSecrets } from '../adapters/aws/secrets-manager/account-secrets.ts';
import { createCertificateSecrets } from '../adapters/aws/secrets-manager/certificate-secrets.ts';
import { createCertificateVersions } from '../adapters/aws/secrets-manager/certificate-versions.ts';
import { readKnownAccounts } from '../adapters/aws/secrets-manager/known-account-keys.ts';
import { createHostLookup } from '../adapters/dns/host-lookup.ts';
import { environment, readTags, requireVariable } from '../domain/contract/environment.ts';
import type {
  FinalizeOrderInput,
  MarkCompromisedKeyInput,
  ReadCertificateInput,
  RevokeCertificateInput,
  ShareSecretInput,
  StoreCertificateInput,
} from '../domain/contract/steps.ts';
import { finalizeOrder } from './finalize-order.ts';
import { markCompromisedKey } from './mark-compromised-key.ts';
import { readCertificate } from './read-certificate.ts';
import { revokeCertificate } from './revoke-certificate.ts';
import { shareSecret } from './share-secret.ts';
import { storeCertificate } from './store-certificate.ts';

/** Finalizes orders, and stores, shares and revokes certificates. It reads the account key, and reads and writes the secrets of certificates. */
export const handler = stepHandler((log, atEnd) => {
  const stackTag = requireVariable(process.env, environment.stackTag);
  const prefix = requireVariable(process.env, environment.secretPrefix);
  const tags = readTags(process.env);
  const acme = createAcme({
    userAgent,
    ...readTrustedRoots(),
    network: { lookup: createHostLookup() },
    now: clock.now,
  });
  atEnd(acme.close);
  const ledger = createLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const accountPrefix = requireVariable(process.env, environment.accountSecretPrefix);
  const ports = {
    accounts: readKnownAccounts(createAccountSecrets({ prefix: accountPrefix, stackTag }), ledger),
    acme,
    ledger,
    secrets: createCertificateSecrets({ prefix, stackTag, tags, kmsKeyId: process.env[environment.encryptionKey] }),
    tags,
    versions: createCertificateVersions({ prefix }),
    newPrivateKey,
    clock,
    log,
  };
  return {
    finalizeOrder: (input: FinalizeOrderInput) => finalizeOrder(input, ports),
    storeCertificate: (input: StoreCertificateInput) => storeCertificate(input, ports),
    readCertificate: (input: ReadCertificateInput) => readCertificate(input, ports),
    shareSecret: (input: ShareSecretInput) => shareSecret(input, ports),
    markCompromisedKey: (input: MarkCompromisedKeyInput) => markCompromisedKey(input, ports),
    revokeCertificate: (input: RevokeCertificateInput) => revokeCertificate(input, ports),
  };
});
