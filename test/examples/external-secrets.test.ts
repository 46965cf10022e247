import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { secretValue } from '../fakes/certificate-authority.ts';

const manifest = readFileSync('examples/external-secrets/external-secret.yaml', 'utf8');
const valuesOf = (key: string) =>
  [...manifest.matchAll(new RegExp(`^[ -]*${key}: (.+)$`, 'gm'))].map(([, value]) => value);

test('the Kubernetes TLS secret gets leaf, chain and key of one certificate', async () => {
  const value = await secretValue({ identifiers: ['example.com'] });
  const [keys, properties] = [valuesOf('secretKey'), valuesOf('property')] as [string[], (keyof typeof value)[]];
  // The External Secrets Operator takes one member of the secret's JSON value for each entry.
  expect(Object.fromEntries(keys.map((key, index) => [key, value[properties[index] ?? 'format']]))).toEqual({
    'tls.crt': value.fullChain,
    'tls.key': value.privateKey,
  });
  expect(valuesOf('type')).toEqual(['kubernetes.io/tls']);
  expect(new Set(valuesOf('key'))).toEqual(new Set(['certificates/www']));
});

test('the manifest reads neither metadata nor a version by its id, which a reader has no permission for', () => {
  expect(manifest).not.toMatch(/metadataPolicy|version:/);
});
