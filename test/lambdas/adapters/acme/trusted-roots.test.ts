import { webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
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
  return { keys, certificate };
}

let ca: ScriptedCa;
let root: string;
let otherRoot: string;
beforeAll(async () => {
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
  root = issuer.certificate.toString('pem');
  otherRoot = (await newRoot('Another root')).certificate.toString('pem');
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  ca = await startScriptedCa({ tls: { key, cert: leaf.toString('pem') } });
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/1') } });
});
afterAll(() => ca.stop());

async function newAccount(trustedRoots?: string, create = createAcme): Promise<string> {
  const acme = create({
    userAgent: 'perennial/test',
    now: () => new Date('2026-11-20T10:00:00Z'),
    ...(trustedRoots === undefined ? {} : { trustedRoots }),
  });
  return acme.newAccount(ca.issuer, newKey('P-256')).finally(acme.close);
}

test.each([
  ['none', () => undefined],
  ['another one', () => otherRoot],
])('rejects a CA with a private root when %s is trusted, and names the remedy', async (_, trusted) => {
  await expect(newAccount(trusted())).rejects.toThrow(/^No reply to GET https:.*UNABLE_TO_VERIFY.*trusted root/);
});

test('accepts a CA with a private root that is trusted', async () => {
  expect(await newAccount(`${otherRoot}\n${root}`)).toBe(ca.url('/account/1'));
});

test('keeps the roots of Node.js trusted', async () => {
  vi.doMock('node:tls', async (original) => ({
    ...(await original<typeof import('node:tls')>()),
    rootCertificates: [root],
  }));
  // Modules that were loaded before have the real roots of Node.js.
  vi.resetModules();
  try {
    const again = await import('../../../../lambdas/adapters/acme/acme.ts');
    expect(await newAccount(otherRoot, again.createAcme)).toBe(ca.url('/account/1'));
  } finally {
    vi.doUnmock('node:tls');
    vi.resetModules();
  }
});
