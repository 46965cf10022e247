import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { issuersUpward } from '../../../../../lambdas/domain/rules/certificate/issuer-chain.ts';
import {
  type Authority,
  crossSign,
  makeAuthority,
  makeLeaf,
  makePrivateKey,
  pemOf,
} from '../../../../fakes/certificates.ts';

const now = new Date('2026-03-01T12:00:00Z');

let root: Authority;
let otherRoot: Authority;
let upper: Authority;
let lower: Authority;
let leaf: X509Certificate;
/** The root, signed by the other root. */
let crossSigned: X509Certificate;
let stranger: X509Certificate;
beforeAll(async () => {
  root = await makeAuthority({ name: 'Root' });
  otherRoot = await makeAuthority({ name: 'Other Root' });
  upper = await makeAuthority({ name: 'Upper', issuer: root });
  lower = await makeAuthority({ name: 'Lower', issuer: upper });
  leaf = new X509Certificate(await makeLeaf(lower, { identifiers: ['example.com'], privateKey: makePrivateKey() }));
  crossSigned = read(await crossSign(root, otherRoot));
  stranger = certificateOf(await makeAuthority({ name: 'Stranger', issuer: otherRoot }));
});

const read = (certificate: Authority['certificate']) => new X509Certificate(pemOf(certificate));
const certificateOf = ({ certificate }: Authority) => read(certificate);
const named = (sent: readonly X509Certificate[], of = leaf) =>
  issuersUpward(of, sent, now).map(({ subject, issuer }) => `${subject} by ${issuer}`.replaceAll('CN=', ''));

const longWay = ['Lower by Upper', 'Upper by Root', 'Root by Other Root'];

describe('the issuers of a leaf certificate', () => {
  test('are in upward order, and each directly signed the one before it', () => {
    expect(named([certificateOf(upper), certificateOf(lower)])).toEqual(['Lower by Upper', 'Upper by Root']);
  });

  test('do not include a self-signed root', () => {
    const sent = [certificateOf(lower), certificateOf(upper), certificateOf(root)];
    expect(named(sent)).toEqual(['Lower by Upper', 'Upper by Root']);
  });

  test('include a cross-signed root, for clients that do not trust the new root', () => {
    expect(named([certificateOf(lower), certificateOf(upper), crossSigned])).toEqual(longWay);
  });

  test('include a cross-signed root even if its self-signed version and the root above it were sent', () => {
    const sent = [root, otherRoot, upper, lower].map(certificateOf);
    expect(named([...sent, crossSigned])).toEqual(longWay);
  });

  test('do not include a cross-signed root that has expired', async () => {
    const expired = read(
      await crossSign(
        { ...(await makeAuthority({ name: 'Root', notAfter: '2026-02-01T00:00:00Z' })), keys: root.keys },
        otherRoot,
      ),
    );
    const sent = [certificateOf(lower), certificateOf(upper), expired, certificateOf(root)];
    expect(named(sent)).toEqual(['Lower by Upper', 'Upper by Root']);
  });

  test('include each issuer once and no unrelated certificate', () => {
    const sent = [leaf, stranger, certificateOf(lower), certificateOf(lower), certificateOf(upper), stranger];
    expect(named(sent)).toEqual(['Lower by Upper', 'Upper by Root']);
  });

  test('end where the next issuer is missing', () => {
    expect(named([certificateOf(lower), crossSigned])).toEqual(['Lower by Upper']);
    expect(named([])).toEqual([]);
    expect(named([stranger])).toEqual([]);
  });

  test('end without a loop if two roots signed each other', async () => {
    const back = read(await crossSign(otherRoot, root));
    const sent = [certificateOf(lower), certificateOf(upper), crossSigned, back];
    expect(named(sent)).toEqual(longWay);
    expect(named([...sent, certificateOf(root), certificateOf(otherRoot)])).toEqual(longWay);
  });

  test('include a certificate that has its own name as issuer but was signed by another key', async () => {
    const renewed = await makeAuthority({ name: 'Root' });
    const underOld = read(await crossSign(renewed, root));
    const under = new X509Certificate(
      await makeLeaf(renewed, { identifiers: ['example.com'], privateKey: makePrivateKey() }),
    );
    expect(named([underOld, certificateOf(root)], under)).toEqual(['Root by Root']);
  });
});

test('the order in which a CA sends certificates makes no difference', async () => {
  const back = read(await crossSign(otherRoot, root));
  const again = read(await crossSign(upper, otherRoot));
  const all = [...[root, otherRoot, upper, lower].map(certificateOf), crossSigned, stranger, back, again, leaf];
  const digests = (from: readonly X509Certificate[]) =>
    issuersUpward(leaf, from, now).map(({ fingerprint256 }) => fingerprint256);
  fc.assert(
    fc.property(fc.subarray(all), fc.infiniteStream(fc.nat()), (sent, numbers) => {
      const shuffled = sent
        .map((certificate) => ({ certificate, at: numbers.next().value ?? 0 }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ certificate }) => certificate);
      expect(digests(shuffled)).toEqual(digests(sent));
    }),
    { numRuns: 300 },
  );
});
