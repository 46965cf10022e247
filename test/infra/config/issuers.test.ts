import { expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import {
  acmAcmeEndpoint,
  acmeDirectory,
  actalis,
  googleTrustServices,
  googleTrustServicesStaging,
  letsEncrypt,
  letsEncryptStaging,
  sslCom,
  zeroSsl,
} from '../../../infra/config/issuers.ts';

const fieldsOf = (issuer: object) => Object.fromEntries(Object.entries(issuer));

test("Let's Encrypt has a bucket of 250 orders, which is below its limit of 300 new orders in three hours", () => {
  expect(fieldsOf(letsEncrypt({ termsOfServiceAgreed: true }))).toEqual({
    name: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    termsOfService: 'https://letsencrypt.org/repository/',
    termsOfServiceAgreed: true,
    contact: [],
    challenges: ['dns-01'],
    staging: false,
    newOrders: { burst: 250, everySeconds: 36 },
    trustedRoots: [],
    externalAccountBinding: null,
    preferredChain: null,
    replyTimeout: 45,
    keyRollover: true,
  });
});

test("Let's Encrypt's staging environment has a larger bucket and is marked as staging", () => {
  expect(letsEncryptStaging({ termsOfServiceAgreed: true, contact: ['ops@example.com'] })).toMatchObject({
    name: 'letsencrypt-staging',
    directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    contact: ['ops@example.com'],
    staging: true,
    newOrders: { burst: 1450, everySeconds: 8 },
  });
});

test('another directory has its host as name, uses DNS challenges, and has no agreement to terms', () => {
  expect(fieldsOf(acmeDirectory({ directoryUrl: 'https://ca.example:14000/dir' }))).toEqual({
    name: 'ca.example:14000',
    directoryUrl: 'https://ca.example:14000/dir',
    termsOfService: null,
    termsOfServiceAgreed: false,
    contact: [],
    challenges: ['dns-01'],
    staging: false,
    newOrders: null,
    trustedRoots: [],
    externalAccountBinding: null,
    preferredChain: null,
    replyTimeout: 45,
    keyRollover: true,
  });
});

const externalAccountBinding = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme/binding-AbCdEf';
const bound = { termsOfServiceAgreed: true, externalAccountBinding } as const;
const contact = ['tls@example.com'];
const acmDirectory = 'https://acm-acme-enroll.eu-west-1.api.aws/0f8fad5b-d9cb-469f-a165-70867728950e/directory';
const all = [
  letsEncrypt({ termsOfServiceAgreed: true }),
  letsEncryptStaging({ termsOfServiceAgreed: true }),
  googleTrustServices({ ...bound, contact }),
  googleTrustServicesStaging({ ...bound, contact }),
  zeroSsl(bound),
  sslCom(bound),
  sslCom({ ...bound, keys: 'RSA' }),
  actalis(bound),
  acmAcmeEndpoint({ directoryUrl: acmDirectory, externalAccountBinding }),
  acmeDirectory({ directoryUrl: 'https://ca.example/directory' }),
];

test("the bucket of an issuer refills no faster than the CA's own limit, and has a reserve of 50 orders", () => {
  const limits = all.flatMap(({ name, newOrders }) => (newOrders ? [[name, newOrders] as const] : []));
  const published: Record<string, number> = { letsencrypt: 300, 'letsencrypt-staging': 1500 };
  expect(limits.map(([name]) => name)).toEqual(Object.keys(published));
  for (const [name, { burst, everySeconds }] of limits) {
    const inThreeHours = published[name] ?? 0;
    expect(burst).toBe(inThreeHours - 50);
    expect(everySeconds).toBeGreaterThanOrEqual((3 * 3600) / inThreeHours);
  }
});

test('every issuer has a unique name and a unique directory, and passes the check', () => {
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(new Set(all.map(({ directoryUrl }) => directoryUrl)).size).toBe(all.length);
  const hostedZones = [{ id: 'Z0000000001', name: 'example.com' }];
  const certificates = all.map((issuer, index) => ({ name: `c${index}`, identifiers: ['example.com'], issuer }));
  const [issuer] = all;
  if (!issuer) throw new Error('The list of issuers is empty.');
  const { deployed } = checkConfig({ issuer, hostedZones, certificates });
  expect(deployed.issuers.map(({ name }) => name)).toEqual(all.map(({ name }) => name));
});

test('the issuers with external account binding have the ARN of the secret', () => {
  const binding = all.filter((issuer) => issuer.externalAccountBinding === externalAccountBinding);
  expect(binding.map(({ name }) => name)).toEqual([
    'google-trust-services',
    'google-trust-services-staging',
    'zerossl',
    'sslcom-ecc',
    'sslcom-rsa',
    'actalis',
    'acm',
  ]);
});

test('only staging directories are marked as staging, and only four issuers do not support key changes', () => {
  expect(all.filter(({ staging }) => staging).map(({ name }) => name)).toEqual([
    'letsencrypt-staging',
    'google-trust-services-staging',
  ]);
  expect(all.filter(({ keyRollover }) => !keyRollover).map(({ name }) => name)).toEqual([
    'zerossl',
    'sslcom-ecc',
    'sslcom-rsa',
    'acm',
  ]);
});

test("ACM's endpoint needs no challenge and no hosted zone, and may take two minutes for a reply", () => {
  const issuer = acmAcmeEndpoint({ directoryUrl: acmDirectory, externalAccountBinding });
  expect(issuer).toMatchObject({ challenges: [], termsOfServiceAgreed: true, replyTimeout: 130 });
  const certificates = [{ name: 'www', identifiers: ['www.example.com'] }];
  expect(checkConfig({ issuer, certificates }).deployed.certificates[0]?.hostedZones).toEqual([]);
});

test('acmeDirectory takes the options of the other issuer functions', () => {
  const newOrders = { burst: 10, everySeconds: 60 };
  const options = { preferredChain: 'Root', replyTimeout: 90, keyRollover: false, externalAccountBinding, newOrders };
  expect(acmeDirectory({ directoryUrl: 'https://ca.example/directory', ...options })).toMatchObject(options);
});
