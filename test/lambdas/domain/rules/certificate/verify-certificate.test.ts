import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { keyTypes } from '../../../../../lambdas/domain/contract/config.ts';
import { CertificateMismatchError, OrderSharedError } from '../../../../../lambdas/domain/contract/errors.ts';
import {
  keyTypeOf,
  splitPem,
  verifyCertificate,
} from '../../../../../lambdas/domain/rules/certificate/verify-certificate.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../../../fakes/certificates.ts';

const now = new Date('2026-03-01T12:00:00Z');
const identifiers = ['*.example.com', 'example.com'];

let root: Authority;
let intermediate: Authority;
let privateKey: string;
let leaf: string;
beforeAll(async () => {
  root = await makeAuthority({ name: 'Test Root' });
  intermediate = await makeAuthority({ name: 'Test Intermediate', issuer: root });
  privateKey = makePrivateKey();
  leaf = await makeLeaf(intermediate, { identifiers, privateKey });
});

const verify = (pem: string, key = privateKey) => verifyCertificate(pem, key, { name: 'www', identifiers }, now);

const chained = (certificate = leaf, issuer = intermediate) => certificate + pemOf(issuer.certificate);

const dated = async (dates: { readonly notBefore?: string; readonly notAfter?: string }) =>
  chained(await makeLeaf(intermediate, { identifiers, privateKey, ...dates }));

describe('a right chain', () => {
  test('comes apart into leaf and chain, with its facts and no warning', async () => {
    const serialNumber = '00fa0b0c';
    const { certificate, chain, ...facts } = verify(
      chained(await makeLeaf(intermediate, { identifiers, privateKey, serialNumber })),
    );
    expect(facts).toEqual({
      serialNumber: 'fa0b0c',
      notBefore: '2026-03-01T11:00:00.000Z',
      notAfter: '2026-05-30T10:59:59.000Z',
      issuer: 'CN=Test Intermediate',
      keyType: 'P-256',
      warnings: [],
    });
    expect(splitPem(certificate).map(({ subject }) => subject)).toEqual(['CN=*.example.com']);
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Test Intermediate']);
  });

  test('of two intermediates keeps both, issuers upward', async () => {
    const lower = await makeAuthority({ name: 'Lower', issuer: intermediate });
    const pem = chained(await makeLeaf(lower, { identifiers, privateKey }), lower) + pemOf(intermediate.certificate);
    expect(splitPem(verify(pem).chain).map(({ subject }) => subject)).toEqual(['CN=Lower', 'CN=Test Intermediate']);
  });

  test('that brings its root loses it', () => {
    const { chain, warnings } = verify(chained() + pemOf(root.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Test Intermediate']);
    expect(warnings).toEqual([]);
  });

  test('in another order is put right', async () => {
    const lower = await makeAuthority({ name: 'Lower', issuer: intermediate });
    const pem = await makeLeaf(lower, { identifiers, privateKey });
    const { chain, warnings } = verify(pem + pemOf(intermediate.certificate) + pemOf(lower.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Lower', 'CN=Test Intermediate']);
    expect(warnings).toEqual([]);
  });

  test('with Windows line ends and text between its blocks is read all the same', () => {
    const pem = `subject=CN=example.com\n${leaf}\nissuer\n${pemOf(intermediate.certificate)}`.replaceAll('\n', '\r\n');
    expect(splitPem(verify(pem).chain)).toHaveLength(1);
  });

  test.each(keyTypes.filter((type) => !['RSA-3072', 'RSA-4096'].includes(type)))(
    'is known by its key, %s',
    async (type) => {
      const key = makePrivateKey(type);
      const pem = chained(await makeLeaf(intermediate, { identifiers, privateKey: key }));
      expect(verify(pem, key).keyType).toBe(type);
      expect(keyTypeOf(new X509Certificate(pem))).toBe(type);
    },
  );

  test('may write its names in upper case', async () => {
    const names = identifiers.map((name) => name.toUpperCase());
    expect(verify(chained(await makeLeaf(intermediate, { identifiers: names, privateKey }))).warnings).toEqual([]);
  });
});

describe('a warning for', () => {
  test('names that nobody asked for', async () => {
    const names = [...identifiers, 'www.example.net'];
    expect(verify(chained(await makeLeaf(intermediate, { identifiers: names, privateKey }))).warnings).toEqual([
      'it also names www.example.net',
    ]);
  });

  test.each(['2026-03-01T12:00:01Z', '2026-03-01T12:30:00Z', '2026-03-01T13:00:00Z'])(
    'a start up to an hour ahead: %s',
    async (notBefore) => {
      expect(verify(await dated({ notBefore })).warnings).toEqual([expect.stringContaining('it is valid from 2026')]);
    },
  );

  test('a certificate that is no issuer of it, which is left out', async () => {
    const stranger = await makeAuthority({ name: 'Stranger', issuer: root });
    const { chain, warnings } = verify(chained() + pemOf(stranger.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Test Intermediate']);
    expect(warnings).toEqual(['it came with others that do not belong to its chain: CN=Stranger']);
  });

  test('no intermediate', () => {
    const { chain, warnings } = verify(leaf);
    expect(chain).toBe('');
    expect(warnings).toEqual(['it came without an intermediate']);
  });

  test('nothing but a root beside the leaf', async () => {
    const { chain, warnings } = verify(chained(await makeLeaf(root, { identifiers, privateKey }), root));
    expect(chain).toBe('');
    expect(warnings).toEqual(['it came without an intermediate']);
  });
});

describe('refused', () => {
  function expectRefused(pem: string, why: RegExp): void {
    expect(() => verify(pem)).toThrow(CertificateMismatchError);
    expect(() => verify(pem)).toThrow(why);
    expect(() => verify(pem)).toThrow(/^Certificate www: .* is not stored/);
  }

  test('a certificate for another key', async () => {
    const pem = chained(await makeLeaf(intermediate, { identifiers, privateKey: makePrivateKey() }));
    expect(() => verify(pem)).toThrow(OrderSharedError);
    expect(() => verify(pem)).toThrow(/^Certificate www: The order was finalized for another key/);
  });

  test.each([
    [['example.com'], '*.example.com'],
    [['*.example.com'], 'example.com'],
    [['*.example.com', 'www.example.com'], 'example.com'],
  ])('a certificate for %j, which lacks %s', async (names, missing) => {
    const pem = chained(await makeLeaf(intermediate, { identifiers: names, privateKey }));
    expectRefused(pem, new RegExp(`it lacks ${missing.replaceAll(/[*.]/g, '\\$&')}\\.`));
  });

  test.each([
    ['2026-03-01T13:00:01Z', 'more than an hour'],
    ['2026-03-01T14:00:00Z', 'two hours'],
  ])('a start at %s, %s ahead', async (notBefore) => {
    expectRefused(await dated({ notBefore }), /not valid before 2026-03-01T1/);
  });

  test.each(['2026-02-28T00:00:00Z', '2026-03-01T12:00:00Z'])('a leaf that ended at %s', async (notAfter) => {
    expectRefused(await dated({ notBefore: '2025-12-01T00:00:00Z', notAfter }), /it expired 2026/);
  });

  test('an intermediate that signed something else', async () => {
    const another = await makeAuthority({ name: 'Another', issuer: root });
    expectRefused(chained(leaf, another), /none of the certificates that came with it has signed it/);
  });

  test('an intermediate of the right name with another key', async () => {
    const keyId = '0102030405060708090a0b0c0d0e0f1011121314';
    const right = await makeAuthority({ name: 'Same', issuer: root, keyId });
    const wrong = await makeAuthority({ name: 'Same', issuer: root, keyId });
    const pem = await makeLeaf(right, { identifiers, privateKey });
    expect(verify(chained(pem, right)).warnings).toEqual([]);
    expectRefused(chained(pem, wrong), /none of the certificates that came with it has signed it/);
  });

  test('nothing but a root that did not sign it', async () => {
    const other = await makeAuthority({ name: 'Other Root' });
    expectRefused(chained(leaf, other), /none of the certificates that came with it has signed it/);
  });

  test('an intermediate that has expired', async () => {
    const expired = await makeAuthority({ name: 'Expired', issuer: root, notAfter: '2026-02-01T00:00:00Z' });
    const pem = chained(await makeLeaf(expired, { identifiers, privateKey }), expired);
    expectRefused(pem, /its issuer CN=Expired expired 2026-02-01/);
  });

  test('an intermediate that is no CA', async () => {
    const noCa = await makeAuthority({ name: 'No CA', issuer: root, ca: false });
    const pem = chained(await makeLeaf(noCa, { identifiers, privateKey }), noCa);
    expectRefused(pem, /its issuer CN=No CA is not a CA|none of the certificates/);
  });

  test.each([
    ['nothing', ''],
    ['a page of HTML', '<html><body>503</body></html>'],
    ['JSON', '{"type":"about:blank"}'],
  ])('%s, since it holds no certificate', (_, text) => {
    expectRefused(text, /holds no certificate/);
  });

  test('a PEM block of something else', () => {
    expectRefused('-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n', /cannot be read/);
  });

  test('without a word of the private key in the message', async () => {
    const pem = chained(await makeLeaf(intermediate, { identifiers, privateKey: makePrivateKey() }));
    const secret = privateKey.split('\n')[1] ?? '';
    try {
      verify(pem);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain(secret);
    }
  });
});
