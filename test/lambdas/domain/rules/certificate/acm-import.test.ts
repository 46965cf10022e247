import { KeyUsageFlags } from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { newArnReason } from '../../../../../lambdas/domain/rules/certificate/acm-import.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey } from '../../../../fakes/certificates.ts';

const serverAuthentication = { Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.1' };
const clientAuthentication = { Name: 'TLS_WEB_CLIENT_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.2' };
const emailProtection = { Name: 'EMAIL_PROTECTION', OID: '1.3.6.1.5.5.7.3.4' };
const named = (...names: string[]) => names.map((Name) => ({ Name }));

let issuer: Authority;
beforeAll(async () => {
  issuer = await makeAuthority({ name: 'Issuer' });
});

async function leaf({
  keyType = 'P-256',
  identifiers = ['www.example.com'],
  ...usages
}: {
  readonly keyType?: 'P-256' | 'P-384' | 'RSA-2048';
  readonly identifiers?: readonly string[];
  readonly keyUsages?: number;
  readonly extendedKeyUsages?: readonly string[];
} = {}): Promise<string> {
  return makeLeaf(issuer, { identifiers, privateKey: makePrivateKey(keyType), ...usages });
}

describe('a key', () => {
  test.each([
    ['P-256', 'EC_prime256v1', null],
    ['P-256', 'EC_secp384r1', 'keyChanged'],
    ['P-256', 'RSA_2048', 'keyChanged'],
    ['RSA-2048', 'RSA-2048', null],
    ['RSA-2048', 'RSA_3072', 'keyChanged'],
  ] as const)('%s over one that ACM calls %s: %s', async (keyType, KeyAlgorithm, expected) => {
    expect(newArnReason({ KeyAlgorithm }, await leaf({ keyType }))).toBe(expected);
  });
});

describe('the names', () => {
  test.each([
    ['all are others', ['old.example', 'www.old.example'], 'namesChanged'],
    ['one stays, in other letters', ['old.example', 'WWW.Example.com'], null],
    ['a wildcard went whose one level they are of', ['*.example.com'], 'namesChanged'],
    ['ACM says none', [], null],
  ])('%s', async (_, SubjectAlternativeNames, expected) => {
    const certificate = await leaf({ identifiers: ['www.example.com', 'example.com'] });
    expect(newArnReason({ SubjectAlternativeNames }, certificate)).toBe(expected);
  });
});

describe('the key usages', () => {
  const { digitalSignature, keyEncipherment, keyAgreement, decipherOnly } = KeyUsageFlags;

  test.each([
    ['RSA-2048', 'lost keyEncipherment', digitalSignature, 'usageRemoved'],
    ['RSA-2048', 'lost the extension', undefined, 'usageRemoved'],
    ['RSA-2048', 'kept both', digitalSignature | keyEncipherment, null],
    ['P-256', 'lost keyEncipherment, which ACM lets an ECDSA key do', digitalSignature, null],
    ['P-256', 'lost digitalSignature', keyEncipherment, 'usageRemoved'],
  ] as const)('of %s that %s', async (keyType, _, keyUsages, expected) => {
    const certificate = await leaf({ keyType, ...(keyUsages !== undefined && { keyUsages }) });
    expect(newArnReason({ KeyUsages: named('DIGITAL_SIGNATURE', 'KEY_ENCIPHERMENT') }, certificate)).toBe(expected);
  });

  test('may become more', async () => {
    const certificate = await leaf({ keyUsages: digitalSignature | keyAgreement });
    expect(newArnReason({ KeyUsages: named('DIGITAL_SIGNATURE') }, certificate)).toBeNull();
  });

  test('are read to the ninth bit', async () => {
    const KeyUsages = named('KEY_AGREEMENT', 'DECIPHER_ONLY');
    expect(newArnReason({ KeyUsages }, await leaf({ keyUsages: keyAgreement | decipherOnly }))).toBeNull();
    expect(newArnReason({ KeyUsages }, await leaf({ keyUsages: keyAgreement }))).toBe('usageRemoved');
  });

  test('are not missed where ACM writes that there were none', async () => {
    const nothing = { KeyUsages: named('ANY'), ExtendedKeyUsages: named('NONE') };
    expect(newArnReason(nothing, await leaf())).toBeNull();
  });
});

describe('the extended key usages', () => {
  test.each([
    ['lost client authentication, which ACM allows', [serverAuthentication, clientAuthentication], null],
    ['lost another', [serverAuthentication, emailProtection], 'usageRemoved'],
    ['are as before', [serverAuthentication], null],
    ['are more', [], null],
  ])('%s', async (_, ExtendedKeyUsages, expected) => {
    const certificate = await leaf({ extendedKeyUsages: [serverAuthentication.OID] });
    expect(newArnReason({ ExtendedKeyUsages }, certificate)).toBe(expected);
  });

  test('lost the extension', async () => {
    expect(newArnReason({ ExtendedKeyUsages: [serverAuthentication] }, await leaf())).toBe('usageRemoved');
    expect(newArnReason({ ExtendedKeyUsages: [clientAuthentication] }, await leaf())).toBeNull();
  });
});

test('what is no certificate has no reason: ACM says more about it', () => {
  expect(newArnReason({ KeyAlgorithm: 'RSA_2048' }, 'no PEM')).toBeNull();
});
