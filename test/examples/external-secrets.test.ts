import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { secretValue } from '../fakes/certificate-authority.ts';

const manifest = readFileSync('examples/external-secrets/external-secret.yaml', 'utf8');
const valuesOf = (key: string) =>
  [...manifest.matchAll(new RegExp(`^[ -]*${key}: (.+)$`, 'gm'))].map(([, value]) => value);

/** What the operator makes of it: each entry is one member of the secret's JSON. */
test('a Kubernetes TLS secret gets leaf with chain and the key, of one certificate', async () => {
  const value = await secretValue({ identifiers: ['example.com'] });
  const [keys, properties] = [valuesOf('secretKey'), valuesOf('property')] as [string[], (keyof typeof value)[]];
  expect(Object.fromEntries(keys.map((key, index) => [key, value[properties[index] ?? 'format']]))).toEqual({
    'tls.crt': value.fullChain,
    'tls.key': value.privateKey,
  });
  expect(valuesOf('type')).toEqual(['kubernetes.io/tls']);
  expect(new Set(valuesOf('key'))).toEqual(new Set(['certificates/www']));
});

test('nothing is asked that a reader may not: no metadata, no version by its id', () => {
  expect(manifest).not.toMatch(/metadataPolicy|version:/);
});
