import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { expect, test } from 'vitest';
import { certificateSigningRequest } from '../../../../lambdas/adapters/acme/csr.ts';
import { BadCsrError } from '../../../../lambdas/domain/contract/errors.ts';
import { newKey } from './scripted-ca.ts';

const identifiers = ['*.example.com', 'example.com', 'xn--bcher-kva.example'];

test.each([
  ['P-256', 'ECDSA', 'SHA-256'],
  ['P-384', 'ECDSA', 'SHA-384'],
  ['RSA-2048', 'RSASSA-PKCS1-v1_5', 'SHA-256'],
] as const)('%s: signed by the key, every identifier, no subject and no key usage', async (kind, algorithm, hash) => {
  const key = newKey(kind);
  const csr = new Pkcs10CertificateRequest(Buffer.from(await certificateSigningRequest(identifiers, key), 'base64url'));
  const publicKey = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });

  expect(await csr.verify()).toBe(true);
  expect(csr.signatureAlgorithm).toMatchObject({ name: algorithm, hash: { name: hash } });
  expect(Buffer.from(csr.publicKey.rawData).equals(publicKey)).toBe(true);
  expect(csr.subject).toBe('');
  expect(csr.extensions).toHaveLength(1);
  const names = new SubjectAlternativeNameExtension(csr.extensions[0]?.rawData ?? new Uint8Array()).names;
  expect(names.toJSON()).toEqual(identifiers.map((value) => ({ type: 'dns', value })));
});

test('rejects a key type that no CA supports', async () => {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await expect(certificateSigningRequest(identifiers, privateKey)).rejects.toThrow(BadCsrError);
});
