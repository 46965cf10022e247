import { expect, test } from 'vitest';
import { acmeDirectory, letsEncrypt, letsEncryptStaging } from '../../infra/issuers.ts';

test("Let's Encrypt starts at most 250 first issuances a run, below its 300 new orders in three hours", () => {
  expect(letsEncrypt({ termsOfServiceAgreed: true })).toEqual({
    name: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    termsOfService: 'https://letsencrypt.org/repository/',
    termsOfServiceAgreed: true,
    contact: [],
    challenges: 'dns-01',
    staging: false,
    firstIssuancesPerRun: 250,
    trustedRoots: [],
  });
});

test("Let's Encrypt's staging has no such limit and is marked as staging", () => {
  expect(letsEncryptStaging({ termsOfServiceAgreed: true, contact: ['ops@example.com'] })).toMatchObject({
    name: 'letsencrypt-staging',
    directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    contact: ['ops@example.com'],
    staging: true,
    firstIssuancesPerRun: null,
  });
});

test('another directory is known by its host, asks for proof through DNS and has agreed to nothing', () => {
  expect(acmeDirectory({ directoryUrl: 'https://ca.example:14000/dir' })).toEqual({
    name: 'ca.example:14000',
    directoryUrl: 'https://ca.example:14000/dir',
    termsOfService: null,
    termsOfServiceAgreed: false,
    contact: [],
    challenges: 'dns-01',
    staging: false,
    firstIssuancesPerRun: null,
    trustedRoots: [],
  });
});
