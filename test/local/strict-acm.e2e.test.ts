import { webcrypto } from 'node:crypto';
import {
  ACMClient,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  type ImportCertificateCommandInput,
  ListCertificatesCommand,
} from '@aws-sdk/client-acm';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';
import { allow, credentialsOf } from './stack.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await startLocalEnvironment();
});
afterAll(() => local?.stop());

type KeyType = 'P-256' | 'P-384' | 2048 | 3072;

/** A leaf for `www.example.test` and its CA, as ACM takes them. */
async function issue(keyType: KeyType, days = 30): Promise<ImportCertificateCommandInput & { other: Uint8Array }> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm =
    typeof keyType === 'string'
      ? { name: 'ECDSA', namedCurve: keyType, hash: 'SHA-256' }
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: keyType,
          publicExponent: new Uint8Array([1, 0, 1]),
        };
  const pair = async () => (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const pem = async (keys: CryptoKeyPair) =>
    Buffer.from(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'));
  const [caKeys, keys] = [await pair(), await pair()];
  const dates = {
    notBefore: new Date(Date.now() - 2 * 86_400_000),
    notAfter: new Date(Date.now() + days * 86_400_000),
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test CA',
    keys: caKeys,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=www.example.test',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'www.example.test' }])],
  });
  return {
    Certificate: Buffer.from(leaf.toString('pem')),
    CertificateChain: Buffer.from(ca.toString('pem')),
    PrivateKey: await pem(keys),
    other: await pem(caKeys),
  };
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

const client = () => new ACMClient(local.clientConfig);
const importIt = async (input: ImportCertificateCommandInput) =>
  (await client().send(new ImportCertificateCommand(input))).CertificateArn;
const refusal = (sentence: RegExp) => ({ name: 'ValidationException', message: expect.stringMatching(sentence) });

test('a certificate is imported with its own names, key type and dates, and again under the same ARN', async () => {
  const { other: _, ...first } = await issue('P-256');
  const arn = await importIt({ ...first, Tags: [{ Key: 'perennial:stack', Value: 'x' }] });
  const { other: __, ...second } = await issue('P-256', 60);
  expect(await importIt({ ...second, CertificateArn: arn })).toBe(arn);
  const { Certificate } = await client().send(new DescribeCertificateCommand({ CertificateArn: arn }));
  expect(Certificate).toMatchObject({
    DomainName: 'www.example.test',
    KeyAlgorithm: 'EC_prime256v1',
    Type: 'IMPORTED',
  });
  expect(Math.round(((Certificate?.NotAfter?.getTime() ?? 0) - Date.now()) / 86_400_000)).toBe(60);
});

test.each<[KeyType, KeyType]>([
  ['P-256', 2048],
  ['P-256', 'P-384'],
  [2048, 3072],
])('a re-import that changes the key from %s to %s is refused', async (before, after) => {
  const { other: _, ...first } = await issue(before);
  const { other: __, ...second } = await issue(after);
  const arn = await importIt(first);
  await expect(importIt({ ...second, CertificateArn: arn })).rejects.toMatchObject(refusal(/key type and size/));
});

test('a re-import with tags is refused', async () => {
  const { other: _, ...input } = await issue('P-256');
  const arn = await importIt(input);
  const again = importIt({ ...input, CertificateArn: arn, Tags: [{ Key: 'a', Value: 'b' }] });
  await expect(again).rejects.toMatchObject(refusal(/Tagging is not permitted on re-import/));
});

test('a key of another certificate, an expired one and a leaf without its chain are refused', async () => {
  const { other, ...input } = await issue('P-256');
  await expect(importIt({ ...input, PrivateKey: other })).rejects.toMatchObject(refusal(/does not match/));
  const { other: _, ...expired } = await issue('P-256', -1);
  await expect(importIt(expired)).rejects.toMatchObject(refusal(/not valid at this moment/));
  const { CertificateChain: __, ...alone } = input;
  await expect(importIt(alone)).rejects.toMatchObject(refusal(/self.signed/));
  const { other: ___, ...stranger } = await issue('P-256');
  const foreign = importIt({ ...input, CertificateChain: stranger.CertificateChain });
  await expect(foreign).rejects.toMatchObject(refusal(/certificate chain/));
});

test('only RSA certificates are listed unless other key types are asked for', async () => {
  const { other: _, ...rsa } = await issue(2048);
  const { other: __, ...ec } = await issue('P-384');
  const [rsaArn, ecArn] = [await importIt(rsa), await importIt(ec)];
  const list = async (keyTypes?: ('RSA_2048' | 'EC_secp384r1')[]) => {
    const page = await client().send(new ListCertificatesCommand(keyTypes ? { Includes: { keyTypes } } : {}));
    return page.CertificateSummaryList?.map((summary) => summary.CertificateArn);
  };
  expect(await list()).toContain(rsaArn);
  expect(await list()).not.toContain(ecArn);
  expect(await list(['EC_secp384r1'])).toContain(ecArn);
});

test('a first import is allowed on the certificates of a region, and only there', async () => {
  const { other: _, ...input } = await issue('P-256');
  const importAs = async (region: string) => {
    const resource = `arn:aws:acm:${region}:000000000000:certificate/*`;
    const credentials = await credentialsOf(local, allow('acm:ImportCertificate', resource));
    return new ACMClient({ ...local.clientConfig, credentials }).send(new ImportCertificateCommand(input));
  };
  expect((await importAs('us-east-1')).CertificateArn).toMatch(/^arn:aws:acm:us-east-1:/);
  await expect(importAs('eu-west-1')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
