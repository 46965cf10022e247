import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-app-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As `cdk synth -c config=FILE` runs it. */
function runApp(config: string) {
  const context = JSON.stringify({ config });
  const env = { ...process.env, CDK_CONTEXT_JSON: context, CDK_OUTDIR: join(folder, 'cdk.out') };
  return spawnSync(process.execPath, ['infra/app.ts'], { env, encoding: 'utf8' });
}

test('mistakes are printed a line each, without a stack trace, and the app fails', () => {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, 'export default { isuer: 1, certificates: [] };');
  const { status, stderr } = runApp(file);
  expect(status).toBe(1);
  expect(stderr.trimEnd().split('\n')).toEqual([
    file,
    expect.stringMatching(/^ {2}isuer: found an unknown key \(did you mean "issuer"\?\), allowed: /),
    '  certificates: found an empty list, allowed: at least one certificate',
    expect.stringMatching(/^ {2}issuer: found nothing, allowed: /),
  ]);
}, 30_000);

test('a key that is no ARN is a mistake like others', () => {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, "export default { encryptionKey: 'alias/mine', certificates: [] };");
  const { status, stderr } = runApp(file);
  expect(status).toBe(1);
  expect(stderr).toBe(`${file}\n  encryptionKey: found "alias/mine", allowed: the ARN of a KMS key\n`);
}, 30_000);

test('a config file that is not there is named', () => {
  const file = join(folder, 'missing.ts');
  const { status, stderr } = runApp(file);
  expect(status).toBe(1);
  expect(stderr).toBe(`${file}\n  found no file here, allowed: -c config=path/to/file.ts\n`);
}, 30_000);

test('the rate of a config file becomes the schedule of the stack', () => {
  const file = join(folder, 'certificates.mjs');
  const issuers = JSON.stringify(join(import.meta.dirname, '..', '..', 'infra', 'config', 'issuers.ts'));
  writeFileSync(
    file,
    `import { letsEncryptStaging } from ${issuers};
    export default {
      issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
      hostedZones: [{ id: 'Z0123456789', name: 'example.com' }],
      certificates: [{ name: 'www', identifiers: ['example.com'] }],
      schedule: 'rate(8 hours)',
    };`,
  );
  const { status, stderr } = runApp(file);
  expect(status, stderr).toBe(0);
  const template = readFileSync(join(folder, 'cdk.out', 'Perennial.template.json'), 'utf8');
  expect(template).toContain('"ScheduleExpression": "rate(8 hours)"');
}, 30_000);
