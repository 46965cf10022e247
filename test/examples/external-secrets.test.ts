import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { secretValue } from '../fakes/certificate-authority.ts';

const text = readFileSync('examples/external-secrets/external-secret.yaml', 'utf8');
const { spec } = parse(text) as {
  readonly spec: {
    readonly target: { readonly template: { readonly type: string; readonly data: Readonly<Record<string, string>> } };
    readonly dataFrom: readonly object[];
  };
};

test('the Kubernetes TLS secret gets leaf, chain and key from one request for the secret', async () => {
  const value: Readonly<Record<string, unknown>> = { ...(await secretValue({ identifiers: ['example.com'] })) };
  const { type, data } = spec.target.template;
  // `extract` makes a variable of each member of the secret's JSON value.
  const filled = Object.entries(data).map(([key, template]) => [
    key,
    template.replace(/^\{\{ \.(\w+) \}\}$/, (_, member: string) => String(value[member])),
  ]);
  expect(Object.fromEntries(filled)).toEqual({ 'tls.crt': value.fullChain, 'tls.key': value.privateKey });
  expect(type).toBe('kubernetes.io/tls');
  expect(spec.dataFrom).toEqual([{ extract: { key: 'certificates/www' } }]);
});

test('the manifest does not read a version by its id, which a reader has no permission for', () => {
  expect(text).not.toMatch(/version:/);
});
