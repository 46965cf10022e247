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

test('all mistakes are printed, one per line and without a stack trace, and the process fails', () => {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, "export default { isuer: 1, encryptionKey: 'alias/mine', certificates: [] };");
  const context = JSON.stringify({ config: file });
  const env = { ...process.env, CDK_CONTEXT_JSON: context, CDK_OUTDIR: join(folder, 'cdk.out') };
  const { status, stderr } = spawnSync(process.execPath, ['infra/app.ts'], { env, encoding: 'utf8' });
  expect(stderr.trimEnd().split('\n')).toEqual([
    file,
    expect.stringMatching(/^ {2}isuer: .*did you mean "issuer"\?/),
    expect.stringMatching(/^ {2}certificates: .*at least one certificate/),
    expect.stringMatching(/^ {2}encryptionKey: .*"alias\/mine".*ARN of a KMS key/),
    expect.stringMatching(/^ {2}issuer: missing/),
  ]);
  expect(status).toBe(1);
});

test('the rate in a config file is the schedule of the stack', async () => {
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
