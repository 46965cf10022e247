import { describe, expect, test } from 'vitest';
import type { DeployedConfig } from '../../../../../lambdas/domain/contract/config.ts';
import {
  resolveTokens,
  setHash,
  specHash,
  specOf,
} from '../../../../../lambdas/domain/rules/certificate/certificate-spec.ts';

const fields = {
  identifiers: ['*.example.com', 'example.com'],
  keyType: 'P-256',
  directoryUrl: 'https://ca.example/directory',
  profile: null,
} as const;

const config: DeployedConfig = {
  format: 1,
  checkInterval: 21_600,
  issuers: [
    {
      name: 'ca',
      directoryUrl: 'https://ca.example/directory',
      termsOfServiceAgreed: true,
      contact: [],
      challenges: ['dns-01'],
      staging: true,
      newOrders: null,
      externalAccountBinding: null,
      preferredChain: null,
      replyTimeout: 45,
      keyRollover: true,
    },
  ],
  hostedZones: [
    { id: '@0', name: 'example.org' },
    { id: 'Z0123456789', name: 'example.com' },
    { id: '@1', name: 'example.net' },
  ],
  certificates: [
    {
      name: 'www',
      identifiers: ['*.example.com', 'example.com'],
      keyType: 'P-256',
      profile: null,
      issuers: [0],
      reuseKey: false,
      ignoreIssueCap: false,
      regions: ['us-east-1'],
      hostedZones: [1],
    },
  ],
};

describe('the spec hash', () => {
  // The values are literal, because another value means that an upgrade reissues every certificate of every fleet.
  test('of version 1 never changes', () => {
    expect(specHash(fields)).toBe('0217077f3080958e30fb15a47ac32eff28663f7945fe0f775e4d7890dea44f5d');
    expect(specHash({ ...fields, keyType: 'RSA-2048', profile: 'tlsserver' })).toBe(
      '021458e6dcce037a43f459b6abd662ab4fec2056419c4ef11b972a6aa77b3e4b',
    );
  });

  test('changes with each field that causes a new order', () => {
    const hashes = [
      fields,
      { ...fields, identifiers: ['example.com'] },
      { ...fields, keyType: 'P-384' as const },
      { ...fields, directoryUrl: 'https://other.example/directory' },
      { ...fields, profile: 'tlsserver' },
    ].map(specHash);
    expect(new Set(hashes).size).toBe(5);
  });

  test('does not depend on the order of identifiers', () => {
    expect(specHash({ ...fields, identifiers: ['example.com', '*.example.com'] })).toBe(specHash(fields));
  });

  test('does not change with regions, zones, contacts or the name', () => {
    const [issuer] = config.issuers;
    const [certificate] = config.certificates;
    if (!issuer || !certificate) throw new Error('The config above has one of each.');
    const other: DeployedConfig = {
      ...config,
      issuers: [{ ...issuer, name: 'renamed', contact: ['mailto:ops@example.com'] }],
      certificates: [{ ...certificate, name: 'web', regions: [], hostedZones: [] }],
    };
    expect(specOf(other, 'web')?.specHash).toBe(specOf(config, 'www')?.specHash);
  });
});

test('the set hash never changes, for any order of identifiers', () => {
  const hash = '63af1dde5cf254c6035312772ea81d6f15427f1460d90874cd089c7579c848cd';
  expect(setHash('https://ca.example/directory', ['*.example.com', 'example.com'])).toBe(hash);
  expect(setHash('https://ca.example/directory', ['example.com', '*.example.com'])).toBe(hash);
  expect(setHash('https://other.example/directory', ['*.example.com', 'example.com'])).not.toBe(hash);
});

describe('the spec of a certificate', () => {
  test('contains everything that the configuration refers to', () => {
    expect(specOf(config, 'www')).toEqual({
      name: 'www',
      identifiers: ['*.example.com', 'example.com'],
      keyType: 'P-256',
      profile: null,
      issuer: config.issuers[0],
      issuers: config.issuers,
      reuseKey: false,
      ignoreIssueCap: false,
      regions: ['us-east-1'],
      hostedZones: [{ id: 'Z0123456789', name: 'example.com' }],
      specHash: '0217077f3080958e30fb15a47ac32eff28663f7945fe0f775e4d7890dea44f5d',
      setHash: '63af1dde5cf254c6035312772ea81d6f15427f1460d90874cd089c7579c848cd',
    });
  });

  test('is undefined for a name that is not configured', () => {
    expect(specOf(config, 'ww')).toBeUndefined();
  });

  test('throws if the configuration refers to a missing entry', () => {
    expect(() => specOf({ ...config, issuers: [] }, 'www')).toThrow(
      /^config\.json refers to issuer 0, .* Deploy again\.$/,
    );
  });
});

test('resolveTokens replaces tokens by number and keeps other ids', () => {
  const { hostedZones } = resolveTokens(config, ['ZORG', 'ZNET']);
  expect(hostedZones.map(({ id }) => id)).toEqual(['ZORG', 'Z0123456789', 'ZNET']);
  expect(() => resolveTokens(config, ['ZORG'])).toThrow('config.json refers to token 1');
});
