import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { hasTimes } from '../../../../../lambdas/domain/rules/certificate/certificate-times.ts';
import { makeAuthority, makeLeaf, makePrivateKey, withoutEnd } from '../../../../fakes/certificates.ts';

test('a certificate whose end of validity is not a time is recognised by the text, because its date may be anything', async () => {
  const issuer = await makeAuthority({ name: 'Test CA' });
  const pem = await makeLeaf(issuer, { identifiers: ['example.com'], privateKey: makePrivateKey() });
  const texts = (certificate: string) => {
    const { validFrom, validTo } = new X509Certificate(certificate);
    return { validFrom, validTo };
  };
  expect(hasTimes(texts(pem))).toBe(true);
  expect(hasTimes(texts(withoutEnd(pem)))).toBe(false);
  expect(hasTimes({ validFrom: texts(withoutEnd(pem)).validTo, validTo: texts(pem).validTo })).toBe(false);
});
