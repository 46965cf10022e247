import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acmeDirectory, CertificateRenewal } from '../../infra/index.ts';
import { smallConfig } from './synthesized.ts';

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'perennial-staged-'));
});
afterEach(() => rmSync(outdir, { recursive: true, force: true }));

/** A configuration whose functions have every kind of file: bundles, the configuration, and root certificates. */
const config = {
  ...smallConfig,
  issuer: acmeDirectory({
    directoryUrl: 'https://ca.example.com/directory',
    name: 'Example',
    termsOfServiceAgreed: true,
    trustedRoots: [rootCertificates[0] ?? ''],
  }),
};

function synthesize(context: Readonly<Record<string, unknown>> = {}): void {
  const app = new App({ outdir, context, treeMetadata: false });
  new CertificateRenewal(new Stack(app, 'Perennial'), 'Certificates', config);
  const production = { ...config, secretPrefix: 'production/' };
  new CertificateRenewal(new Stack(new Stage(app, 'Production'), 'Perennial'), 'Certificates', production);
  app.synth();
}

function withUmask<T>(mask: number, run: () => T): T {
  const before = process.umask(mask);
  try {
    return run();
  } finally {
    process.umask(before);
  }
}

/** Returns the modes of all staged files and folders, by kind. */
function stagedModes(): Readonly<Record<'files' | 'folders', readonly string[]>> {
  const assets = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
  const paths = assets.flatMap((asset) => [asset, ...globSync(`${asset}/**/*`, { cwd: outdir })]);
  const modes = (wanted: boolean) =>
    paths
      .map((path) => statSync(join(outdir, path)))
      .filter((status) => status.isDirectory() === wanted)
      .map((status) => (status.mode & 0o777).toString(8));
  return { files: [...new Set(modes(false))], folders: [...new Set(modes(true))] };
}

/** Returns the paths of the assets of all stacks, in stages too. */
const assetPaths = () =>
  globSync('**/*.assets.json', { cwd: outdir }).flatMap((file) => {
    const { files } = JSON.parse(readFileSync(join(outdir, file), 'utf8')) as {
      readonly files: Readonly<Record<string, { readonly source: { readonly path: string } }>>;
    };
    return Object.values(files).map(({ source: { path } }) =>
      isAbsolute(path) ? path : resolve(outdir, file, '..', path),
    );
  });

describe('the staged files of the functions', () => {
  test.each([0o022, 0o027, 0o077])('are readable for every user under the umask %o', (mask) => {
    withUmask(mask, synthesize);
    expect(stagedModes()).toEqual({ files: ['644'], folders: ['755'] });
  });

  test('are made readable if the assembly already has them with other modes', () => {
    synthesize();
    for (const asset of globSync('asset.*', { cwd: outdir })) {
      for (const file of globSync(`${asset}/*`, { cwd: outdir })) chmodSync(join(outdir, file), 0o600);
      chmodSync(join(outdir, asset), 0o700);
    }
    expect(stagedModes()).not.toEqual({ files: ['644'], folders: ['755'] });
    synthesize();
    expect(stagedModes()).toEqual({ files: ['644'], folders: ['755'] });
  });

  test('are the only copies in the assembly', () => {
    synthesize();
    expect(readdirSync(outdir).filter((name) => name.startsWith('perennial-'))).toEqual([]);
  });

  test('exist without staging too, at the same paths after the next synthesis', () => {
    const context = { 'aws:cdk:disable-asset-staging': true };
    withUmask(0o077, () => synthesize(context));
    const paths = assetPaths();
    const bundles = paths
      .map((path) => join(path, 'index.mjs'))
      .filter((path) => statSync(path, { throwIfNoEntry: false }));
    expect(bundles.length).toBeGreaterThanOrEqual(6);
    expect(bundles.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(bundles.map(() => '644'));
    expect(paths.filter((path) => !statSync(path, { throwIfNoEntry: false }))).toEqual([]);
    synthesize(context);
    expect(assetPaths()).toEqual(paths);
  });
});
