import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { install } from '../../local/install.ts';
import { run } from '../../local/processes.ts';
import { runApp } from '../infra/run-app.ts';

const root = join(import.meta.dirname, '..', '..');

/** W3005 reports a DependsOn that an Fn::GetAtt implies. The CDK adds both for the role of each function, and CloudFormation allows it. */
const ignored = ['W3005'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-templates-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Returns the findings of cfn-lint, which are errors and warnings. Rejects with them if there are any. */
async function lint(templates: Readonly<Record<string, object>>): Promise<string> {
  const files = Object.entries(templates).map(([name, template]) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(template, null, 2));
    return file;
  });
  const { python } = await install();
  // The command cfn-lint names the folder in which it was installed, and that folder is renamed.
  const script = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  return run(python, ['-I', '-c', script, '--format', 'parseable', '--ignore-checks', ...ignored, '--', ...files]);
}

const contexts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'infra/app.ts': { config: 'test/certificates.ts' },
  'examples/cloudfront-site/app.ts': { domain: 'example.com' },
  'examples/ecs-service/app.ts': { certificate: 'www' },
};
const apps = ['infra/app.ts', ...globSync('examples/*/app.ts', { cwd: root })];

test.each(apps)('cfn-lint finds nothing in the templates of %s', async (app) => {
  const { templates } = await runApp(app, contexts[app] ?? {});
  expect(Object.keys(templates)).not.toEqual([]);
  expect(await lint(templates)).toBe('');
});

test('cfn-lint finds a property that CloudFormation would reject', async () => {
  const table = { Type: 'AWS::DynamoDB::Table', Properties: { BillingMode: 'PER_REQUEST' } };
  await expect(lint({ Mistake: { Resources: { Table: table } } })).rejects.toThrow(/E3030.*PER_REQUEST/);
});
