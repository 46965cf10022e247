import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnAccount } from 'aws-cdk-lib/aws-certificatemanager';
import { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { ManagedRule, ManagedRuleIdentifiers } from 'aws-cdk-lib/aws-config';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Role } from 'aws-cdk-lib/aws-iam';
import { PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { CfnAutomationRule, CfnSecurityControl } from 'aws-cdk-lib/aws-securityhub';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { expect, test } from 'vitest';
import { checkConfig } from '../../infra/config/check-config.ts';
import * as perennial from '../../infra/index.ts';
import * as errors from '../../lambdas/domain/contract/errors.ts';

const root = join(import.meta.dirname, '..', '..');
const pages = ['README.md', ...globSync(['docs/*.md', 'examples/*/README.md'], { cwd: root }).toSorted()];
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const blocks = pages.flatMap((page) =>
  [...textOf(page).matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => ({ page, code })),
);

/** Replaces the places that a page leaves to the reader. */
const filledIn = (code: string): string =>
  code
    .replaceAll("'...'", "'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/google-AbCdEf'")
    .replaceAll(':role/...', ':role/Filled-In');

/** Runs the body of a function that has these names as parameters. */
async function run(body: string, names: Readonly<Record<string, unknown>>): Promise<unknown> {
  const code = `export default ({ ${Object.keys(names).join(', ')} }) => {\n${body}\n};`;
  const { default: made } = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as {
    readonly default: (given: typeof names) => unknown;
  };
  return made(names);
}

const whole = {
  issuer: perennial.letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
};

const parts = blocks.filter(({ code }) => /^\w+:/.test(code));
test('the pages about the configuration, issuers, notifications and zones show parts of a configuration', () => {
  const pages = ['docs/configuration.md', 'docs/issuers.md', 'docs/notifications.md', 'docs/zones.md', 'docs/zones.md'];
  expect(parts.map(({ page }) => page)).toEqual(pages);
});

test.each(parts)('$page shows a part of a configuration that is accepted: $code', async ({ code }) => {
  const part = (await run(`return {${filledIn(code)}};`, perennial)) as Partial<perennial.PerennialConfig>;
  const [zone] = part.hostedZones ?? whole.hostedZones;
  const certificates = [{ name: 'www', identifiers: [String(zone?.name)] }];
  expect(checkConfig({ ...whole, certificates, ...part }).deployed.certificates).toHaveLength(1);
});

const calls = blocks.filter(({ code }) => /^\w+\(\{/.test(code));
test('the page about issuers shows calls', () => {
  expect(calls.map(({ page }) => page)).toEqual(['docs/issuers.md', 'docs/issuers.md']);
});

test.each(calls)('$page shows an issuer that is accepted: $code', async ({ code }) => {
  const issuer = await run(`return ${code}`, { ...perennial, readFileSync: () => rootCertificates[0] });
  expect(checkConfig({ ...whole, issuer }).deployed.issuers).toHaveLength(1);
});

/** Runs a config file as a page shows it. */
const exported = (code: string) => run(code.replace(/^import .*$/m, '').replace('export default', 'return'), perennial);

const files = blocks.filter(({ code }) => code.includes('export default defineConfig('));
const accepted = files.filter(({ code }) => !code.includes('termsOfServiceAgreed: false'));
test('README and the page about the configuration show config files', () => {
  expect(accepted.map(({ page }) => page)).toEqual(['README.md', 'docs/configuration.md']);
});

test.each(accepted)('$page shows a config file that is accepted', async ({ code }) => {
  const shown = [...code.matchAll(/\{ name: '(\w+)', identifiers/g)].map(([, name]) => name);
  expect(shown.length).toBeGreaterThan(1);
  expect(checkConfig(await exported(code)).deployed.certificates.map(({ name }) => name)).toEqual(shown);
});

test('the config file with mistakes is rejected at the paths that the page lists', async () => {
  const [mistaken] = files.filter((each) => !accepted.includes(each));
  const [, listed = ''] = /for each of these paths:\n\n```\n(.*?)^```/ms.exec(textOf(mistaken?.page ?? '')) ?? [];
  const error = await exported(mistaken?.code ?? '')
    .then(checkConfig)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(perennial.ConfigError);
  const { mistakes } = error as perennial.ConfigError;
  expect(mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(':')))).toEqual(listed.trim().split('\n'));
});

test('every error has a row in the table of operations', () => {
  const names = Object.keys(errors).filter((name) => name !== 'PerennialError');
  const rows = [...textOf('docs/operations.md').matchAll(/^\| (`\w+Error`.*?) \|/gm)].map(([, row = '']) => row);
  expect(rows.flatMap((row) => row.match(/\w+Error/g) ?? []).toSorted()).toEqual(names.toSorted());
});

test('the construct that README shows can be created', async () => {
  const [shown] = blocks.filter(({ code }) => code.includes('new CertificateRenewal(this'));
  expect(shown?.page).toBe('README.md');
  const stack = new Stack(new App(), 'Site');
  const zone = new PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
  await run(`${shown?.code}`.replace('(this,', '(stack,'), { ...perennial, stack, zone });
  expect(stack.node.tryFindChild('Certificates')).toBeInstanceOf(perennial.CertificateRenewal);
});

test('the challenge role that a page shows can be created', async () => {
  const [shown] = blocks.filter(({ code }) => code.includes('new ChallengeRole('));
  const stack = new Stack(new App(), 'Challenges');
  await run(filledIn(shown?.code ?? '').replace(/^import .*$/m, ''), { ...perennial, stack });
  expect(stack.node.tryFindChild('Challenges')).toBeInstanceOf(perennial.ChallengeRole);
});

const uses = blocks.filter(({ code }) => /certificates\.(grantRead|certificate)\(/.test(code));
test('the pages show how certificates are used', () => {
  expect(uses.map(({ page }) => page)).toEqual([
    'docs/delivery.md',
    'docs/getting-started.md',
    'examples/eks-secrets-store/README.md',
    'examples/external-secrets/README.md',
  ]);
});

test.each(uses)('$page shows a use of a certificate that can be synthesized: $code', async ({ code }) => {
  const stack = new Stack(new App(), 'Site');
  const certificates = new perennial.CertificateRenewal(stack, 'Certificates', {
    ...whole,
    issuer: perennial.letsEncrypt({ termsOfServiceAgreed: true }),
    certificates: [{ name: 'www', identifiers: ['example.com'], acm: ['us-east-1'] }],
  });
  const names = { certificates, stack, Role, Distribution, SfnStateMachine };
  const taskRole = Role.fromRoleName(stack, 'TaskRole', 'task');
  const restart = StateMachine.fromStateMachineName(stack, 'Restart', 'restart');
  const defaultBehavior = { origin: new HttpOrigin('origin.example.com') };
  const filled = code.replaceAll('(this,', '(stack,').replace('/* ... */', 'defaultBehavior');
  const before = stack.node.findAll().length;
  await run(filled, { ...names, taskRole, restart, defaultBehavior });
  expect(stack.node.findAll().length).toBeGreaterThan(before);
});

const awsChecks = blocks.filter(({ code }) =>
  /^new (Cfn(SecurityControl|AutomationRule|Account)|ManagedRule)\(/.test(code),
);
test('the settings for the checks of AWS can be synthesized', async () => {
  const stack = new Stack(new App(), 'Checks');
  expect(awsChecks).toHaveLength(4);
  const constructs = { CfnSecurityControl, CfnAutomationRule, CfnAccount, ManagedRule, ManagedRuleIdentifiers };
  for (const { code } of awsChecks) await run(code.replaceAll('(this,', '(stack,'), { ...constructs, stack });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::SecurityHub::SecurityControl', {
    SecurityControlId: 'ACM.1',
    Parameters: { daysToExpiration: { ValueType: 'CUSTOM', Value: { Integer: 14 } } },
  });
  template.hasResourceProperties('AWS::SecurityHub::AutomationRule', {
    Criteria: { ResourceTags: [{ Key: 'perennial:stack' }] },
    Actions: [{ FindingFieldsUpdate: { Workflow: { Status: 'SUPPRESSED' } } }],
  });
  template.hasResourceProperties('AWS::Config::ConfigRule', {
    Source: { SourceIdentifier: 'ACM_CERTIFICATE_EXPIRATION_CHECK' },
    InputParameters: { daysToExpiration: 2 },
  });
  template.hasResourceProperties('AWS::CertificateManager::Account', {
    ExpiryEventsConfiguration: { DaysBeforeExpiry: 2 },
  });
});

test.each(['CONTRIBUTING.md', ...pages])('%s names only scripts that exist', (page) => {
  const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const named = [...textOf(page).matchAll(/npm run (?:--silent )?([\w-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
