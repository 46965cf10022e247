import { expect, test } from 'vitest';
import { certificateId } from '../../../../../lambdas/domain/rules/certificate/certificate-id.ts';
import { makeAuthority, makeLeaf, makePrivateKey } from '../../../../fakes/certificates.ts';

const privateKey = makePrivateKey();

/** The key identifier of the example in RFC 9773 §4.1. */
const keyId = '69885b6b87464041e1b37b847ba0ae2cde01c8d4';

async function idOf(serialNumber: string, authorityKeyId = true): Promise<string | null> {
  const issuer = await makeAuthority({ name: 'Test Intermediate', keyId });
  return certificateId(
    await makeLeaf(issuer, { identifiers: ['example.com'], privateKey, serialNumber, authorityKeyId }),
  );
}

test('encodes the example of RFC 9773, whose serial number has a leading zero in DER', async () => {
  expect(await idOf('0087654321')).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

test.each([
  ['7f', 'fw', 'the largest byte without a leading zero'],
  ['0080', 'AIA', 'the smallest byte with a leading zero'],
  ['01', 'AQ', 'a single digit'],
  ['0a01', 'CgE', 'two bytes'],
  ['03aabbccddeeff00112233445566778899aa', 'A6q7zN3u_wARIjNEVWZ3iJmq', 'as long as those of public CAs'],
])('encodes serial number %s as %s (%s)', async (serialNumber, encoded) => {
  expect((await idOf(serialNumber))?.split('.')[1]).toBe(encoded);
});

test('returns null without an authority key identifier', async () => {
  expect(await idOf('0a01', false)).toBeNull();
});
