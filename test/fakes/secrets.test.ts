import { describe } from 'vitest';
import { accountSecretsBehaviour } from '../lambdas/adapters/aws/secrets-manager/account-secrets-behaviour.ts';
import { certificateSecretsBehaviour } from '../lambdas/adapters/aws/secrets-manager/certificate-secrets-behaviour.ts';
import { FakeAccountSecrets, FakeCertificateSecrets } from './secrets.ts';

describe('secrets of certificates in memory', () => {
  const secrets = new FakeCertificateSecrets();
  certificateSecretsBehaviour(() => ({
    secrets,
    versions: secrets,
    labelled: async (certificate, label) => secrets.labelled(certificate, label),
    createByAnotherStack: async (certificate, value) =>
      secrets.put(certificate, { owned: false, current: { versionId: 'other-version', value } }),
    scheduleDeletion: async (certificate) => secrets.scheduleDeletion(certificate, '2027-02-01T00:00:00.000Z'),
  }));
});

describe('secrets of accounts in memory', () => {
  const accounts = new FakeAccountSecrets();
  accountSecretsBehaviour(() => accounts);
});
