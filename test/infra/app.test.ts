import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runApp } from './run-app.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-app-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('mistakes are printed a line each, without a stack trace, and the process fails', () => {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, 'export default { isuer: 1, certificates: [] };');
  const context = JSON.stringify({ config: file });
  const env = { ...process.env, CDK_CONTEXT_JSON: context, CDK_OUTDIR: join(folder, 'cdk.out') };
  const { status, stderr } = spawnSync(process.execPath, ['infra/app.ts'], { env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr.trimEnd().split('\n')).toEqual([
    file,
    expect.stringMatching(/^ {2}isuer: found an unknown key \(did you mean "issuer"\?\), allowed: /),
    '  certificates: found an empty list, allowed: at least one certificate',
    expect.stringMatching(/^ {2}issuer: found nothing, allowed: /),
  ]);
});

test('a key that is no ARN is a mistake like others', async () => {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, "export default { encryptionKey: 'alias/mine', certificates: [] };");
  const { status, stderr } = await runApp('infra/app.ts', { config: file });
  expect(status).toBe(1);
  expect(stderr).toBe(`${file}\n  encryptionKey: found "alias/mine", allowed: the ARN of a KMS key\n`);
});

test('a config file that is not there is named', async () => {
  const file = join(folder, 'missing.ts');
  const { status, stderr } = await runApp('infra/app.ts', { config: file });
  expect(status).toBe(1);
  expect(stderr).toBe(`${file}\n  found no file here, allowed: -c config=path/to/file.ts\n`);
});

test('the rate of a config file becomes the schedule of the stack', async () => {
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
  const { status, stderr, templates } = await runApp('infra/app.ts', { config: file });
  expect(status, stderr).toBe(0);
  expect(JSON.stringify(templates.Perennial)).toContain('"ScheduleExpression":"rate(8 hours)"');
});
