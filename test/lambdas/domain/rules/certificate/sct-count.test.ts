import { createPrivateKey, createPublicKey } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { sctCount } from '../../../../../lambdas/domain/rules/certificate/sct-count.ts';
import { makeAuthority, makePrivateKey, pemOf } from '../../../../fakes/certificates.ts';

/** Returns a certificate with this number of timestamps of the size that logs with ECDSA keys send. */
async function certificateWith(count: number, size = 119): Promise<string> {
  const authority = await makeAuthority({ name: 'Test Intermediate' });
  const entry = Buffer.concat([Buffer.from([size >> 8, size & 0xff]), Buffer.alloc(size)]);
  const entries = Buffer.concat(Array.from({ length: count }, () => entry));
  const list = Buffer.concat([Buffer.from([entries.length >> 8, entries.length & 0xff]), entries]);
  const header = list.length < 0x80 ? [0x04, list.length] : [0x04, 0x82, list.length >> 8, list.length & 0xff];
  const value = Buffer.concat([Buffer.from(header), list]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=example.com',
    issuer: authority.certificate.subject,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    publicKey: new x509.PublicKey(
      createPublicKey(createPrivateKey(makePrivateKey())).export({ type: 'spki', format: 'der' }),
    ),
    signingKey: authority.keys.privateKey,
    extensions: count > 0 ? [new x509.Extension('1.3.6.1.4.1.11129.2.4.2', false, value)] : [],
  });
  return pemOf(certificate);
}

test.each([0, 1, 2, 3])('counts %d signed certificate timestamps', async (count) => {
  expect(sctCount(await certificateWith(count))).toBe(count);
});

test('counts a short list, whose length is in one byte', async () => {
  expect(sctCount(await certificateWith(1, 47))).toBe(1);
});
