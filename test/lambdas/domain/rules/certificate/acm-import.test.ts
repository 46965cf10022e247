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

describe('newArnReason compares the key', () => {
  test.each([
    ['P-256', 'EC_prime256v1', null],
    ['P-256', 'EC_secp384r1', 'keyChanged'],
    ['P-256', 'RSA_2048', 'keyChanged'],
    ['RSA-2048', 'RSA-2048', null],
    ['RSA-2048', 'RSA_3072', 'keyChanged'],
  ] as const)('%s with %s in ACM: %s', async (keyType, KeyAlgorithm, expected) => {
    expect(newArnReason({ KeyAlgorithm }, await leaf({ keyType }))).toBe(expected);
  });
});

describe('newArnReason compares the names', () => {
  test.each([
    ['if all have changed', ['old.example', 'www.old.example'], 'namesChanged'],
    ['if one stays in another case', ['old.example', 'WWW.Example.com'], null],
    ['if a wildcard was removed that covers them', ['*.example.com'], 'namesChanged'],
    ['if ACM returns none', [], null],
  ])('%s, from %j: %s', async (_, SubjectAlternativeNames, expected) => {
    const certificate = await leaf({ identifiers: ['www.example.com', 'example.com'] });
    expect(newArnReason({ SubjectAlternativeNames }, certificate)).toBe(expected);
  });
});

describe('newArnReason compares the key usages', () => {
  const { digitalSignature, keyEncipherment, keyAgreement, decipherOnly } = KeyUsageFlags;

  test.each([
    ['RSA-2048', 'keyEncipherment removed', digitalSignature, 'usageRemoved'],
    ['RSA-2048', 'the extension removed', undefined, 'usageRemoved'],
    ['RSA-2048', 'both kept', digitalSignature | keyEncipherment, null],
    ['P-256', 'keyEncipherment removed, which ACM allows for an ECDSA key', digitalSignature, null],
    ['P-256', 'digitalSignature removed', keyEncipherment, 'usageRemoved'],
  ] as const)('of %s with %s, to bits %s: %s', async (keyType, _, keyUsages, expected) => {
    const certificate = await leaf({ keyType, ...(keyUsages !== undefined && { keyUsages }) });
    expect(newArnReason({ KeyUsages: named('DIGITAL_SIGNATURE', 'KEY_ENCIPHERMENT') }, certificate)).toBe(expected);
  });

  test('and allows more of them', async () => {
    const certificate = await leaf({ keyUsages: digitalSignature | keyAgreement });
    expect(newArnReason({ KeyUsages: named('DIGITAL_SIGNATURE') }, certificate)).toBeNull();
  });

  test('up to the ninth bit', async () => {
    const KeyUsages = named('KEY_AGREEMENT', 'DECIPHER_ONLY');
    expect(newArnReason({ KeyUsages }, await leaf({ keyUsages: keyAgreement | decipherOnly }))).toBeNull();
    expect(newArnReason({ KeyUsages }, await leaf({ keyUsages: keyAgreement }))).toBe('usageRemoved');
  });

  test('and ignores the values ANY and NONE of ACM', async () => {
    const nothing = { KeyUsages: named('ANY'), ExtendedKeyUsages: named('NONE') };
    expect(newArnReason(nothing, await leaf())).toBeNull();
  });
});

describe('newArnReason compares the extended key usages', () => {
  test.each([
    ['with client authentication removed, which ACM allows', [serverAuthentication, clientAuthentication], null],
    ['with another one removed', [serverAuthentication, emailProtection], 'usageRemoved'],
    ['if they are unchanged', [serverAuthentication], null],
    ['if there are more', [], null],
  ])('%s, from %j: %s', async (_, ExtendedKeyUsages, expected) => {
    const certificate = await leaf({ extendedKeyUsages: [serverAuthentication.OID] });
    expect(newArnReason({ ExtendedKeyUsages }, certificate)).toBe(expected);
  });

  test('with the extension removed', async () => {
    expect(newArnReason({ ExtendedKeyUsages: [serverAuthentication] }, await leaf())).toBe('usageRemoved');
    expect(newArnReason({ ExtendedKeyUsages: [clientAuthentication] }, await leaf())).toBeNull();
  });
});

test('newArnReason returns null for an unreadable certificate, which ACM rejects itself', () => {
  expect(newArnReason({ KeyAlgorithm: 'RSA_2048' }, 'no PEM')).toBeNull();
});
