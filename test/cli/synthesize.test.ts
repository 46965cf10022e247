import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { synthesize } from '../../cli/synthesize.ts';

const repository = join(import.meta.dirname, '..', '..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-synthesize-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the command of an app that runs this code. */
function appOf(code: string): string {
  const file = join(folder, 'app.mjs');
  writeFileSync(file, `import { writeFileSync } from 'node:fs';\n${code}`);
  return `node ${file}`;
}

test('the assembly of an app is in a folder of its own, and the app gets the values of --context', async () => {
  const app = appOf(`const { stack } = JSON.parse(process.env.CDK_CONTEXT_JSON);
    writeFileSync(process.env.CDK_OUTDIR + '/site.json', '{}');
    const artifacts = { [stack]: {
      type: 'aws:cloudformation:stack',
      environment: 'aws://unknown-account/unknown-region',
      properties: { templateFile: 'site.json' },
    } };
    writeFileSync(process.env.CDK_OUTDIR + '/manifest.json', JSON.stringify({ version: '36.0.0', artifacts }));`);
  const out = await synthesize({ app, context: ['stack=Site'] }, repository);
  expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toMatchObject({ artifacts: { Site: {} } });
  rmSync(out, { recursive: true });
});

test('an app that fails is a sentence with the exit code 5', async () => {
  await expect(synthesize({ app: appOf('process.exit(1);') }, repository)).rejects.toMatchObject({
    message: expect.stringContaining('"cdk synth" failed, so there is no configuration to compare.'),
    exitCode: 5,
  });
});

test.each([
  ['without an app', false, 'This folder has no cdk.json. Run the command in the folder of the app'],
  ['without the package aws-cdk', true, 'The package aws-cdk is not installed in this folder.'],
])('a folder %s is a sentence with the exit code 2', async (_, hasApp, message) => {
  if (hasApp) writeFileSync(join(folder, 'cdk.json'), '{"app":"node app.mjs"}');
  await expect(synthesize({}, folder)).rejects.toMatchObject({
    message: expect.stringContaining(message),
    exitCode: 2,
  });
});
