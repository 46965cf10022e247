import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { keyTypes } from '../../../../../lambdas/domain/contract/config.ts';
import { CertificateMismatchError, OrderSharedError } from '../../../../../lambdas/domain/contract/errors.ts';
import {
  keyTypeOf,
  splitPem,
  verifyCertificate,
} from '../../../../../lambdas/domain/rules/certificate/verify-certificate.ts';
import {
  type Authority,
  makeAuthority,
  makeLeaf,
  makePrivateKey,
  pemOf,
  withoutEnd,
} from '../../../../fakes/certificates.ts';

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

describe('a valid chain', () => {
  test('is split into leaf and chain, with its facts and no warning', async () => {
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

  test('keeps two intermediates in upward order', async () => {
    const lower = await makeAuthority({ name: 'Lower', issuer: intermediate });
    const pem = chained(await makeLeaf(lower, { identifiers, privateKey }), lower) + pemOf(intermediate.certificate);
    expect(splitPem(verify(pem).chain).map(({ subject }) => subject)).toEqual(['CN=Lower', 'CN=Test Intermediate']);
  });

  test('loses its root', () => {
    const { chain, warnings } = verify(chained() + pemOf(root.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Test Intermediate']);
    expect(warnings).toEqual([]);
  });

  test('is sorted', async () => {
    const lower = await makeAuthority({ name: 'Lower', issuer: intermediate });
    const pem = await makeLeaf(lower, { identifiers, privateKey });
    const { chain, warnings } = verify(pem + pemOf(intermediate.certificate) + pemOf(lower.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Lower', 'CN=Test Intermediate']);
    expect(warnings).toEqual([]);
  });

  test('is read with Windows line ends and with text between its blocks', () => {
    const pem = `subject=CN=example.com\n${leaf}\nissuer\n${pemOf(intermediate.certificate)}`.replaceAll('\n', '\r\n');
    expect(splitPem(verify(pem).chain)).toHaveLength(1);
  });

  test.each(keyTypes.filter((type) => !['RSA-3072', 'RSA-4096'].includes(type)))(
    'has the key type %s',
    async (type) => {
      const key = makePrivateKey(type);
      const pem = chained(await makeLeaf(intermediate, { identifiers, privateKey: key }));
      expect(verify(pem, key).keyType).toBe(type);
      expect(keyTypeOf(new X509Certificate(pem))).toBe(type);
    },
  );

  test('may have names in upper case', async () => {
    const names = identifiers.map((name) => name.toUpperCase());
    expect(verify(chained(await makeLeaf(intermediate, { identifiers: names, privateKey }))).warnings).toEqual([]);
  });
});

describe('a warning is returned for', () => {
  test('names that were not ordered', async () => {
    const names = [...identifiers, 'www.example.net'];
    expect(verify(chained(await makeLeaf(intermediate, { identifiers: names, privateKey }))).warnings).toEqual([
      'it also names www.example.net',
    ]);
  });

  test.each(['2026-03-01T12:00:01Z', '2026-03-01T12:30:00Z', '2026-03-01T13:00:00Z'])(
    'a start up to an hour in the future: %s',
    async (notBefore) => {
      expect(verify(await dated({ notBefore })).warnings).toEqual([expect.stringContaining('it is valid from 2026')]);
    },
  );

  test('an unrelated certificate, which is left out', async () => {
    const stranger = await makeAuthority({ name: 'Stranger', issuer: root });
    const { chain, warnings } = verify(chained() + pemOf(stranger.certificate));
    expect(splitPem(chain).map(({ subject }) => subject)).toEqual(['CN=Test Intermediate']);
    expect(warnings).toEqual([expect.stringContaining('do not belong to its chain: CN=Stranger')]);
  });

  test('an unrelated certificate without a subject', async () => {
    const stranger = await makeLeaf(root, {
      identifiers: ['old.example.com'],
      privateKey: makePrivateKey(),
      subject: '',
    });
    expect(verify(chained() + stranger).warnings).toEqual([expect.stringContaining('a certificate without a subject')]);
  });

  test('a missing intermediate', () => {
    const { chain, warnings } = verify(leaf);
    expect(chain).toBe('');
    expect(warnings).toEqual([expect.stringContaining('without an intermediate')]);
  });

  test('a missing intermediate if the root was sent', async () => {
    const { chain, warnings } = verify(chained(await makeLeaf(root, { identifiers, privateKey }), root));
    expect(chain).toBe('');
    expect(warnings).toEqual([expect.stringContaining('without an intermediate')]);
  });
});

describe('the check rejects', () => {
  function expectRejected(pem: string, why: RegExp): void {
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
    expectRejected(pem, new RegExp(`It lacks ${missing.replaceAll(/[*.]/g, '\\$&')}\\.`));
  });

  test.each([
    ['2026-03-01T13:00:01Z', 'more than an hour'],
    ['2026-03-01T14:00:00Z', 'two hours'],
  ])('a start at %s, %s in the future', async (notBefore) => {
    expectRejected(await dated({ notBefore }), /not valid before 2026-03-01T1/);
  });

  test.each(['2026-02-28T00:00:00Z', '2026-03-01T12:00:00Z'])(
    'a leaf certificate that expired at %s',
    async (notAfter) => {
      expectRejected(await dated({ notBefore: '2025-12-01T00:00:00Z', notAfter }), /It expired at 2026/);
    },
  );

  test('a certificate whose end of validity is not a time, in any position of the chain', () => {
    expectRejected(
      withoutEnd(leaf) + pemOf(intermediate.certificate),
      /The validity of CN=\*\.example\.com is not a time/,
    );
    expectRejected(
      leaf + withoutEnd(pemOf(intermediate.certificate)),
      /The validity of CN=Test Intermediate is not a time/,
    );
  });

  test('an intermediate that did not sign the leaf certificate', async () => {
    const another = await makeAuthority({ name: 'Another', issuer: root });
    expectRejected(chained(leaf, another), /not signed by any of the certificates/);
  });

  test('an intermediate with the right name and another key', async () => {
    const keyId = '0102030405060708090a0b0c0d0e0f1011121314';
    const right = await makeAuthority({ name: 'Same', issuer: root, keyId });
    const wrong = await makeAuthority({ name: 'Same', issuer: root, keyId });
    const pem = await makeLeaf(right, { identifiers, privateKey });
    expect(verify(chained(pem, right)).warnings).toEqual([]);
    expectRejected(chained(pem, wrong), /not signed by any of the certificates/);
  });

  test('a root that did not sign the leaf certificate', async () => {
    const other = await makeAuthority({ name: 'Other Root' });
    expectRejected(chained(leaf, other), /not signed by any of the certificates/);
  });

  test('an intermediate that has expired', async () => {
    const expired = await makeAuthority({ name: 'Expired', issuer: root, notAfter: '2026-02-01T00:00:00Z' });
    const pem = chained(await makeLeaf(expired, { identifiers, privateKey }), expired);
    expectRejected(pem, /Its issuer CN=Expired expired at 2026-02-01/);
  });

  test('an intermediate that is not a CA', async () => {
    const noCa = await makeAuthority({ name: 'No CA', issuer: root, ca: false });
    const pem = chained(await makeLeaf(noCa, { identifiers, privateKey }), noCa);
    expectRejected(pem, /Its issuer CN=No CA is not a CA|not signed by any/);
  });

  test.each([
    ['an empty reply', ''],
    ['a page of HTML', '<html><body>503</body></html>'],
    ['JSON', '{"type":"about:blank"}'],
  ])('%s, which contains no certificate', (_, text) => {
    expectRejected(text, /contains no certificate/);
  });

  test('a PEM block without a certificate', () => {
    expectRejected('-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n', /cannot be read/);
  });

  test('a certificate without revealing the private key', async () => {
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
