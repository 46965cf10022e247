import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { shellEnvironment } from './packed.ts';

const { consumer } = inject('packed');
const bin = (name: string) => join(consumer, 'node_modules', '.bin', name);

/** The construct, as the author of an app adds it to the stack that the template has. */
const certificates = `new CertificateRenewal(this, 'Certificates', {
      issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
      hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
      certificates: [{ name: 'www', identifiers: ['example.com'], acm: ['us-east-1'] }],
    });
    // The code that defines your stack goes here`;

/** A test as the comment in the template suggests it. It also finds one class of the library for `instanceof`. */
const ownTest = `
test('the stack renews certificates', () => {
  const stack = new stacks.SiteStack(new cdk.App(), 'MyTestStack');
  Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 3);
  expect(stack.node.findChild('Certificates')).toBeInstanceOf(CertificateRenewal);
  expect(() => parseCertificateSecret('{"format":0}')).toThrow();
  expect(() => parseEvent({})).toThrow();
});
`;

const languages = {
  typescript: {
    imports: `import { CertificateRenewal, letsEncryptStaging } from 'cdk-perennial';\n`,
    testImports: `import * as cdk from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import { CertificateRenewal } from 'cdk-perennial';
import { parseEvent } from 'cdk-perennial/events';
import { parseCertificateSecret } from 'cdk-perennial/secret';
import * as stacks from '../lib/site-stack';
`,
  },
  javascript: {
    imports: `const { CertificateRenewal, letsEncryptStaging } = require('cdk-perennial');\n`,
    testImports: `const cdk = require('aws-cdk-lib/core');
const { Template } = require('aws-cdk-lib/assertions');
const { CertificateRenewal } = require('cdk-perennial');
const { parseEvent } = require('cdk-perennial/events');
const { parseCertificateSecret } = require('cdk-perennial/secret');
const stacks = require('../lib/site-stack');
`,
  },
} as const;

/** Makes an app with `cdk init`, which writes its template and the recommended feature flags, and adds the construct. @returns its folder */
function init(language: keyof typeof languages): string {
  const folder = join(consumer, language, 'site');
  mkdirSync(folder, { recursive: true });
  const args = ['init', 'app', '--language', language, '--generate-only', '--no-notices'];
  execFileSync(bin('cdk'), args, { cwd: folder, env: shellEnvironment(), stdio: 'pipe' });
  symlinkSync(join(consumer, 'node_modules'), join(folder, 'node_modules'));
  const extension = language === 'typescript' ? 'ts' : 'js';
  const { imports, testImports } = languages[language];
  const stack = join(folder, 'lib', `site-stack.${extension}`);
  const code = readFileSync(stack, 'utf8');
  expect(code).toContain('// The code that defines your stack goes here');
  writeFileSync(stack, imports + code.replace('// The code that defines your stack goes here', certificates));
  writeFileSync(join(folder, 'test', `renewal.test.${extension}`), testImports + ownTest);
  return folder;
}

const run = (command: string, args: readonly string[], cwd: string) =>
  promisify(execFile)(command, args, { cwd, env: { ...shellEnvironment(), npm_config_yes: 'false' } });

const versionOf = (name: string) =>
  (JSON.parse(readFileSync(join(consumer, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;

describe.each(['typescript', 'javascript'] as const)('the app that cdk init makes for %s', (language) => {
  const folder = init(language);

  test('is synthesized by its own command', async ({ annotate }) => {
    const names = ['aws-cdk', 'aws-cdk-lib', 'tsx', 'typescript', 'jest', '@swc/core'];
    await annotate(names.map((name) => `${name} ${versionOf(name)}`).join(', '));
    await run(bin('cdk'), ['synth', '--quiet'], folder);
    const text = readFileSync(join(folder, 'cdk.out', 'SiteStack.template.json'), 'utf8');
    expect(text).toContain('"AWS::StepFunctions::StateMachine"');
  });

  test('runs the command line with npx, which names all commands', async () => {
    const { stdout } = await run('npx', ['cdk-perennial', '--help'], folder);
    for (const command of ['status [options] [name]', 'explain', 'renew', 'get'])
      expect(stdout).toContain(`\n  ${command} `);
    expect((await run('npx', ['cdk-perennial', '--version'], folder)).stdout).toBe(`${versionOf('cdk-perennial')}\n`);
  });

  test('passes its own Jest test and one that uses the library', async () => {
    const { stderr } = await run(bin('jest'), [], folder);
    expect(stderr).toMatch(/Tests: +2 passed, 2 total/);
  });
});
