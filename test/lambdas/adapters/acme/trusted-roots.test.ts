import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import type { TrustedRoots } from '../../../../lambdas/adapters/acme/connections.ts';
import { createRenewalInfos } from '../../../../lambdas/adapters/acme/fetch-renewal-info.ts';
import { createTransport } from '../../../../lambdas/adapters/acme/transport.ts';
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
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
    ...validity,
  });
  return { keys, certificate, pem: certificate.toString('pem') };
}

/**
 * A CA on loopback whose HTTPS certificate has a root of its own. The subject of the root is the same for all CAs. With `named` the certificate names
 * the key of its root.
 */
async function newCa({ named = true } = {}): Promise<{ readonly ca: ScriptedCa; readonly root: string }> {
  const issuer = await newRoot('Private root');
  const keys = await newKeys();
  const leaf = await X509CertificateGenerator.create({
    issuer: issuer.certificate.subject,
    subject: 'CN=ca',
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      // With it, OpenSSL chooses the right one of two roots with the same subject.
      ...(named ? [await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)] : []),
    ],
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
/** Its certificate does not name the key of its root. */
let unnamed: Awaited<ReturnType<typeof newCa>>;
let otherRoot: string;
beforeAll(async () => {
  [first, second, unnamed] = await Promise.all([newCa(), newCa(), newCa({ named: false })]);
  otherRoot = (await newRoot('Another root')).pem;
});
afterAll(() => Promise.all([first, second, unnamed].map(({ ca }) => ca.stop())));

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
/** An issuer of the property test: the index of its server, and the indexes of the servers whose roots it trusts. */
interface ArbitraryIssuer {
  readonly server: number;
  readonly trusts: readonly number[];
}
const arbitraryIssuer: fc.Arbitrary<ArbitraryIssuer> = fc.record({
  server: fc.nat({ max: 1 }),
  trusts: fc.uniqueArray(fc.nat({ max: 1 })),
});

/** Sends one request to each of these issuers, one after another as in a warm function. Returns whether each was answered. */
async function answered(issuers: readonly ArbitraryIssuer[], requests: readonly number[]): Promise<readonly boolean[]> {
  const servers = [first, second];
  const found = issuers.map(({ server, trusts }, index) => ({
    name: `issuer-${index}`,
    directoryUrl: servers[server]?.ca.url(`/directory/${index}`) ?? '',
    replyTimeout: 10,
    roots: trusts.map((each) => servers[each]?.root ?? '').join('\n'),
  }));
  const trustedRoots = Object.fromEntries(
    found.flatMap((each) => (each.roots ? [[each.directoryUrl, each.roots]] : [])),
  );
  const transport = createTransport({ userAgent: 'perennial/test', trustedRoots });
  const results: boolean[] = [];
  for (const request of requests) {
    const issuer = found[request % found.length];
    if (!issuer) continue;
    const reply = transport.request(issuer, 'get', issuer.directoryUrl);
    results.push(
      await reply.then(({ status }) => status > 0).catch((error: unknown) => !untrusted.test(String(error))),
    );
  }
  transport.close();
  return results;
}

/** A warm function has the directory of a CA already, so any request may be the first one. */
const untrusted = /No reply to [A-Z]+ https:.*(UNABLE_TO_VERIFY|CERT_SIGNATURE_FAILURE).*trusted root/;

describe('the trusted roots of an issuer', () => {
  test.each([
    ['none', () => ({})],
    ['another one', () => ({ [first.ca.issuer.directoryUrl]: otherRoot })],
    ['one with the same subject', () => ({ [first.ca.issuer.directoryUrl]: second.root })],
  ])(
    'do not let a CA with a private root connect when they have %s, and the error names the remedy',
    async (_, trusted) => {
      await expect(newAccount(first, trusted())).rejects.toThrow(untrusted);
    },
  );

  test('with the same subject as the root of a CA are not trusted, if its certificate does not name the key of its root', async () => {
    const trusted = { [unnamed.ca.issuer.directoryUrl]: first.root };
    await expect(newAccount(unnamed, trusted)).rejects.toThrow(/CERT_SIGNATURE_FAILURE.*trusted root/);
  });

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

  test('decide alone whether its CA is trusted, whatever other issuers trust and were asked before', async () => {
    const issuers = fc.array(arbitraryIssuer, { minLength: 1, maxLength: 4 });
    const requests = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(issuers, requests, async (all, asked) => {
        const expected = asked.map((request) => {
          const { server, trusts } = all[request % all.length] ?? { server: 0, trusts: [] };
          return trusts.includes(server);
        });
        expect(await answered(all, asked)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
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
