import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BundleSize } from '../../build/bundle.ts';
import { buildFunctions, functions } from '../../build/functions.ts';

const out = mkdtempSync(join(tmpdir(), 'perennial-functions-'));
let sizes: readonly BundleSize[] = [];

beforeAll(async () => {
  sizes = await buildFunctions(out);
});
afterAll(() => rmSync(out, { recursive: true }));

test.each(functions)('the bundle of %s loads without other files and has a handler', async (name) => {
  const bundle = (await import(pathToFileURL(join(out, name, 'index.mjs')).href)) as { readonly handler: unknown };
  expect(bundle.handler).toBeTypeOf('function');
});

test('every bundle is smaller than 500 KB, or 900 KB with acme-client', () => {
  expect(sizes.map(({ name }) => name).toSorted()).toEqual([...functions].toSorted());
  for (const { name, bytes } of sizes) {
    const maximumKilobytes = ['order', 'certificate'].includes(name) ? 900 : 500;
    expect(bytes / 1024, name).toBeLessThan(maximumKilobytes);
  }
});

test('the bundles contain the version of the package for the User-Agent that the CA gets', () => {
  const file = join(import.meta.dirname, '..', '..', 'package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  const bundle = readFileSync(join(out, 'order', 'index.mjs'), 'utf8');
  expect({ unbuilt: bundle.includes('"unbuilt"'), versioned: bundle.includes(`"${version}"`) }).toEqual({
    unbuilt: false,
    versioned: true,
  });
});

test('the notices name each bundled package with its licence', () => {
  const notices = readFileSync(join(out, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  for (const name of ['acme-client', 'axios', '@peculiar/x509', '@aws-sdk/client-acm'])
    expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)$`, 'm'));
  expect(notices).toContain('Permission is hereby granted, free of charge');
});
