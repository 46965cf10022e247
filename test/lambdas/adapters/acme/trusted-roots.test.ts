import { webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import type { TrustedRoots } from '../../../../lambdas/adapters/acme/connections.ts';
import { createRenewalInfos } from '../../../../lambdas/adapters/acme/fetch-renewal-info.ts';
import { newKey, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2120-01-01T00:00:00Z') };
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function newRoot(name: string) {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
    ...validity,
  });
  return { keys, certificate, pem: certificate.toString('pem') };
}

/** A CA on loopback whose HTTPS certificate has a root of its own. The subject of the root is the same for all CAs. */
async function newCa(): Promise<{ readonly ca: ScriptedCa; readonly root: string }> {
  const issuer = await newRoot('Private root');
  const keys = await newKeys();
  const leaf = await X509CertificateGenerator.create({
    issuer: issuer.certificate.subject,
    subject: 'CN=ca',
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    ...validity,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  const ca = await startScriptedCa({ tls: { key, cert: leaf.toString('pem') } });
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/1') } });
  return { ca, root: issuer.pem };
}

let first: Awaited<ReturnType<typeof newCa>>;
let second: Awaited<ReturnType<typeof newCa>>;
let otherRoot: string;
beforeAll(async () => {
  [first, second] = await Promise.all([newCa(), newCa()]);
  otherRoot = (await newRoot('Another root')).pem;
});
afterAll(() => Promise.all([first.ca.stop(), second.ca.stop()]));

const options = (trustedRoots: TrustedRoots) => ({
  userAgent: 'perennial/test',
  now: () => new Date('2026-11-20T10:00:00Z'),
  trustedRoots,
});

async function newAccount({ ca }: typeof first, trustedRoots: TrustedRoots = {}, create = createAcme): Promise<string> {
  const acme = create(options(trustedRoots));
  const { url } = await acme.newAccount(ca.issuer, newKey('P-256')).finally(acme.close);
  return url;
}
const untrusted = /^No reply to GET https:.*UNABLE_TO_VERIFY.*trusted root/;

describe('the trusted roots of an issuer', () => {
  test.each([
    ['none', () => ({})],
    ['another one', () => ({ [first.ca.issuer.directoryUrl]: otherRoot })],
  ])(
    'do not let a CA with a private root connect when they have %s, and the error names the remedy',
    async (_, trusted) => {
      await expect(newAccount(first, trusted())).rejects.toThrow(untrusted);
    },
  );

  test('let the CA connect', async () => {
    const trusted = { [first.ca.issuer.directoryUrl]: `${otherRoot}\n${first.root}` };
    expect(await newAccount(first, trusted)).toBe(first.ca.url('/account/1'));
  });

  test('are not trusted for another issuer', async () => {
    const trusted = { [first.ca.issuer.directoryUrl]: `${first.root}\n${second.root}` };
    expect(await newAccount(first, trusted)).toBe(first.ca.url('/account/1'));
    await expect(newAccount(second, trusted)).rejects.toThrow(untrusted);
    const infos = createRenewalInfos(options(trusted));
    const answer = await infos.fetch(second.ca.issuer, 'id').finally(infos.close);
    expect(answer).toMatchObject({ failed: expect.stringContaining('UNABLE_TO_VERIFY'), temporary: false });
  });

  test('may have the same subject as the root of another issuer', async () => {
    const trusted = {
      [first.ca.issuer.directoryUrl]: first.root,
      [second.ca.issuer.directoryUrl]: second.root,
    };
    expect(await newAccount(first, trusted)).toBe(first.ca.url('/account/1'));
    expect(await newAccount(second, trusted)).toBe(second.ca.url('/account/1'));
  });

  test('are trusted in addition to those of Node.js', async () => {
    vi.doMock('node:tls', async (original) => ({
      ...(await original<typeof import('node:tls')>()),
      rootCertificates: [first.root],
    }));
    // Modules that were loaded before have the real roots of Node.js.
    vi.resetModules();
    try {
      const again = await import('../../../../lambdas/adapters/acme/acme.ts');
      const trusted = { [first.ca.issuer.directoryUrl]: otherRoot };
      expect(await newAccount(first, trusted, again.createAcme)).toBe(first.ca.url('/account/1'));
    } finally {
      vi.doUnmock('node:tls');
      vi.resetModules();
    }
  });
});
