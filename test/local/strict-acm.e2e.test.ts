import { webcrypto } from 'node:crypto';
import {
  ACMClient,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  type ImportCertificateCommandInput,
  ListCertificatesCommand,
} from '@aws-sdk/client-acm';
import * as x509 from '@peculiar/x509';
import { beforeAll, expect, test } from 'vitest';
import type { LocalEnvironment } from '../../local/environment.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { allow, credentialsOf } from './stack.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await sharedEnvironment();
});

type KeyType = 'P-256' | 'P-384' | 2048 | 3072;

/** Makes a CA and a leaf certificate, by default for `www.example.test`. Returns the input for ACM, and the CA's key as `other`. */
async function issue(
  keyType: KeyType,
  days = 30,
  signer = keyType,
  usages: number | null = null,
  {
    names = ['www.example.test'],
    extendedUsages = [],
  }: { readonly names?: readonly string[]; readonly extendedUsages?: readonly string[] } = {},
): Promise<ImportCertificateCommandInput & { other: Uint8Array }> {
  x509.cryptoProvider.set(webcrypto);
  const algorithmOf = (type: KeyType) =>
    typeof type === 'string'
      ? { name: 'ECDSA', namedCurve: type, hash: 'SHA-256' }
      : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: type, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = async (type: KeyType) =>
    (await webcrypto.subtle.generateKey(algorithmOf(type), true, ['sign', 'verify'])) as CryptoKeyPair;
  const pem = async (keys: CryptoKeyPair) =>
    Buffer.from(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'));
  const [caKeys, keys] = [await pair(signer), await pair(keyType)];
  const dates = {
    notBefore: new Date(Date.now() - 2 * 86_400_000),
    notAfter: new Date(Date.now() + days * 86_400_000),
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test CA',
    keys: caKeys,
    signingAlgorithm: algorithmOf(signer),
    ...dates,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0]}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithmOf(signer),
    ...dates,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      ...(extendedUsages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extendedUsages])]),
      ...(usages === null ? [] : [new x509.KeyUsagesExtension(usages, true)]),
    ],
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

test('an import has the names, key type and dates of the certificate, and a re-import keeps the ARN', async () => {
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
])('a re-import that changes the key type from %s to %s is rejected', async (before, after) => {
  const { other: _, ...first } = await issue(before);
  const { other: __, ...second } = await issue(after);
  const arn = await importIt(first);
  await expect(importIt({ ...second, CertificateArn: arn })).rejects.toMatchObject(refusal(/key type and size/));
});

test.each<[KeyType, boolean]>([
  [2048, true],
  ['P-256', false],
])('a re-import of a %s key without the usage KEY_ENCIPHERMENT, rejected: %s', async (keyType, isRejected) => {
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const { other: _, ...first } = await issue(keyType, 30, keyType, digitalSignature | keyEncipherment);
  const { other: __, ...second } = await issue(keyType, 30, keyType, digitalSignature);
  const arn = await importIt(first);
  const { Certificate } = await client().send(new DescribeCertificateCommand({ CertificateArn: arn }));
  expect(Certificate?.KeyUsages).toEqual([{ Name: 'DIGITAL_SIGNATURE' }, { Name: 'KEY_ENCIPHERMENT' }]);
  const again = importIt({ ...second, CertificateArn: arn });
  if (isRejected) await expect(again).rejects.toMatchObject(refusal(/KEY_ENCIPHERMENT/));
  else expect(await again).toBe(arn);
});

test('a re-import that keeps none of the names is rejected, and one that keeps a name is accepted', async () => {
  const of = async (...names: string[]) => {
    const { other: _, ...input } = await issue('P-256', 30, 'P-256', null, { names });
    return input;
  };
  const arn = await importIt(await of('old.example.test', 'www.example.test'));
  const others = importIt({ ...(await of('new.example.test')), CertificateArn: arn });
  await expect(others).rejects.toMatchObject(refusal(/all of the domain names/));
  expect(await importIt({ ...(await of('new.example.test', 'WWW.example.test')), CertificateArn: arn })).toBe(arn);
});

test('a re-import without a previous extended key usage is rejected, except for client authentication', async () => {
  const { serverAuth, clientAuth, emailProtection } = x509.ExtendedKeyUsage;
  const of = async (...extendedUsages: string[]) => {
    const { other: _, ...input } = await issue('P-256', 30, 'P-256', null, { extendedUsages });
    return input;
  };
  const arn = await importIt(await of(serverAuth, clientAuth, emailProtection));
  const { Certificate } = await client().send(new DescribeCertificateCommand({ CertificateArn: arn }));
  expect(Certificate?.ExtendedKeyUsages).toEqual([
    { Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: serverAuth },
    { Name: 'TLS_WEB_CLIENT_AUTHENTICATION', OID: clientAuth },
    { Name: 'EMAIL_PROTECTION', OID: emailProtection },
  ]);
  const fewer = importIt({ ...(await of(serverAuth, clientAuth)), CertificateArn: arn });
  await expect(fewer).rejects.toMatchObject(refusal(/EMAIL_PROTECTION/));
  expect(await importIt({ ...(await of(serverAuth, emailProtection)), CertificateArn: arn })).toBe(arn);
});

test('a re-import with tags is rejected', async () => {
  const { other: _, ...input } = await issue('P-256');
  const arn = await importIt(input);
  const again = importIt({ ...input, CertificateArn: arn, Tags: [{ Key: 'a', Value: 'b' }] });
  await expect(again).rejects.toMatchObject(refusal(/Tagging is not permitted on re-import/));
});

test('an import with a wrong key, an expired certificate, or a missing or wrong chain is rejected', async () => {
  const { other, ...input } = await issue('P-256');
  await expect(importIt({ ...input, PrivateKey: other })).rejects.toMatchObject(refusal(/does not match/));
  const { other: _, ...expired } = await issue('P-256', -1);
  await expect(importIt(expired)).rejects.toMatchObject(refusal(/not valid at this moment/));
  const { CertificateChain: __, ...alone } = input;
  await expect(importIt(alone)).rejects.toMatchObject(refusal(/self.signed/));
  const { other: ___, ...unrelated } = await issue('P-256');
  const wrongChain = importIt({ ...input, CertificateChain: unrelated.CertificateChain });
  await expect(wrongChain).rejects.toMatchObject(refusal(/certificate chain/));
});

test.each<[KeyType, KeyType]>([
  ['P-256', 2048],
  [2048, 'P-256'],
])(
  'a %s key signed by a CA with a %s key is rejected, but a CA key of another size is accepted',
  async (keyType, signer) => {
    const { other: _, ...mixed } = await issue(keyType, 30, signer);
    await expect(importIt(mixed)).rejects.toMatchObject(refusal(/algorithm of the signing CA/));
    const { other: __, ...sized } = await issue(keyType, 30, keyType === 2048 ? 3072 : 'P-384');
    expect(await importIt(sized)).toMatch(/^arn:aws:acm:/);
  },
);

test('the list has only RSA certificates unless the request names other key types', async () => {
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

test('the list has the names and validity of an import and the time of its latest import', async () => {
  const { other: _, ...first } = await issue('P-256', 30, 'P-256', null, { names: ['one.test', 'two.test'] });
  const arn = await importIt(first);
  const listed = async () => {
    const page = await client().send(new ListCertificatesCommand({ Includes: { keyTypes: ['EC_prime256v1'] } }));
    return page.CertificateSummaryList?.find((summary) => summary.CertificateArn === arn);
  };
  const before = await listed();
  expect(before).toMatchObject({
    DomainName: 'one.test',
    SubjectAlternativeNameSummaries: ['one.test', 'two.test'],
    NotBefore: expect.any(Date),
    NotAfter: expect.any(Date),
  });
  await importIt({ ...first, CertificateArn: arn });
  expect((await listed())?.ImportedAt?.getTime()).toBeGreaterThan(before?.ImportedAt?.getTime() ?? Number.NaN);
});

test('a page of the list has at most MaxItems certificates and a token for the next page, except the last', async () => {
  const [{ other: _, ...one }, { other: __, ...two }] = [await issue(3072), await issue(3072)];
  const arns = [await importIt(one), await importIt(two)];
  const list = (MaxItems: number, NextToken?: string) =>
    client().send(new ListCertificatesCommand({ Includes: { keyTypes: ['RSA_3072'] }, MaxItems, NextToken }));
  const all = (await list(1000)).CertificateSummaryList ?? [];
  expect(all.map((summary) => summary.CertificateArn)).toEqual(expect.arrayContaining(arns));
  const first = await list(all.length - 1);
  const last = await list(1000, first.NextToken);
  expect([...(first.CertificateSummaryList ?? []), ...(last.CertificateSummaryList ?? [])]).toEqual(all);
  expect([first.NextToken, last.NextToken]).toEqual([expect.any(String), undefined]);
  await expect(list(1001)).rejects.toMatchObject({ name: 'ValidationException' });
});

test('an import over an ARN that does not exist is rejected', async () => {
  const { other: _, ...input } = await issue('P-256');
  const arn = await importIt(input);
  await client().send(new DeleteCertificateCommand({ CertificateArn: arn }));
  await expect(importIt({ ...input, CertificateArn: arn })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('a permission for the certificates of a region allows first imports only in that region', async () => {
  const { other: _, ...input } = await issue('P-256');
  const importAs = async (region: string) => {
    const resource = `arn:aws:acm:${region}:000000000000:certificate/*`;
    const credentials = await credentialsOf(local, allow('acm:ImportCertificate', resource));
    return new ACMClient({ ...local.clientConfig, credentials }).send(new ImportCertificateCommand(input));
  };
  expect((await importAs('us-east-1')).CertificateArn).toMatch(/^arn:aws:acm:us-east-1:/);
  await expect(importAs('eu-west-1')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
