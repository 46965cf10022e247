import { expect, test } from 'vitest';
import { keyFingerprint } from '../../../../../lambdas/domain/rules/certificate/key-fingerprint.ts';
import { makePrivateKey } from '../../../../fakes/certificates.ts';

test('equal keys have the same fingerprint if only their PEM texts differ', () => {
  const key = makePrivateKey();
  expect(keyFingerprint(key)).toMatch(/^[0-9a-f]{64}$/);
  expect(keyFingerprint(`\n${key.trim()}\n\n`)).toBe(keyFingerprint(key));
});

test.each(['P-256', 'RSA-2048'] as const)('different %s keys have different fingerprints', (keyType) => {
  expect(keyFingerprint(makePrivateKey(keyType))).not.toBe(keyFingerprint(makePrivateKey(keyType)));
});

test('a text that is no private key has a fingerprint too', () => {
  expect(keyFingerprint('no key')).toMatch(/^[0-9a-f]{64}$/);
  expect(keyFingerprint('no key')).not.toBe(keyFingerprint('another text'));
});
