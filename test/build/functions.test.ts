import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { functions } from '../../build/functions.ts';

/** What `npm run build` has made. The tests of stacks read it too. */
const out = join(import.meta.dirname, '..', '..', 'dist', 'functions');

test('every bundle loads without other files and has a handler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-functions-'));
  const program = `
    const types = process.argv.slice(1).map(async (name) => [name, typeof (await import('./' + name + '/index.mjs')).handler]);
    console.log(JSON.stringify(Object.fromEntries(await Promise.all(types))));`;
  try {
    cpSync(out, folder, { recursive: true });
    const args = ['--input-type=module', '--eval', program, ...functions];
    const printed = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(printed)).toEqual(Object.fromEntries(functions.map((name) => [name, 'function'])));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every bundle is smaller than 500 KB, or 900 KB with acme-client', () => {
  expect(readdirSync(out).toSorted()).toEqual(['THIRD-PARTY-NOTICES.txt', ...functions].toSorted());
  for (const name of functions) {
    const maximumKilobytes = ['order', 'certificate'].includes(name) ? 900 : 500;
    expect(statSync(join(out, name, 'index.mjs')).size / 1024, name).toBeLessThan(maximumKilobytes);
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
