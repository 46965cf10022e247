import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doctor } from '../../cli/commands/doctor.ts';
import { explain } from '../../cli/commands/explain.ts';
import { plan } from '../../cli/commands/plan.ts';
import { renew } from '../../cli/commands/renew.ts';
import { status } from '../../cli/commands/status.ts';
import type { CertificateReport, ReportOutput } from '../../lambdas/domain/contract/report.ts';
import type { WorkflowExecution } from '../../lambdas/domain/ports/workflows.ts';
import { configOf, factsWith, issuer, specWith } from '../fakes/specs.ts';
import { createWorld } from '../fakes/world.ts';
import { certificateWith, reportOf } from './page/reports.ts';
import { createTerminal } from './terminal.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'command-line.md'), 'utf8');
const now = '2026-03-01T12:00:00Z';
const letsEncrypt = { ...issuer, name: 'letsencrypt', newOrders: { burst: 250, everySeconds: 36 } };
const zone = { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' };
const states = 'arn:aws:states:eu-west-1:111122223333';

const www: Partial<CertificateReport> = {
  identifiers: ['*.example.com', 'example.com'],
  current: factsWith({
    ...{ identifiers: ['*.example.com', 'example.com'], serialNumber: '04a3b2c1', directoryUrl: issuer.directoryUrl },
    ...{ notBefore: '2026-01-30T12:00:00Z', notAfter: '2026-04-30T12:00:00Z' },
  }),
  reason: 'nothing to do, renewal is due 2026-03-31T08:12:00.000Z',
  renewalTime: '2026-03-31T08:12:00Z',
  window: { start: '2026-03-30T12:00:00Z', end: '2026-04-01T12:00:00Z', explanationUrl: null },
};
const shop: Partial<CertificateReport> = {
  ...{ name: 'shop', identifiers: ['shop.example.com'], deliveries: [] },
  current: factsWith({
    ...{ identifiers: ['shop.example.com'], directoryUrl: issuer.directoryUrl },
    ...{ notBefore: '2025-12-11T12:00:00Z', notAfter: '2026-03-11T12:00:00Z', serialNumber: '03c4d5e6' },
    secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/shop-AbCdEf',
  }),
  ...{ action: 'none', renewalTime: '2026-02-09T12:00:00Z', window: null, notBefore: '2026-03-02T09:00:00Z' },
  reason: 'no attempt before 2026-03-02T09:00:00.000Z, after 4 failures, the last one CaaError',
  failure: {
    ...{ error: 'CaaError', count: 4, last: '2026-03-01T09:00:00Z' },
    cause:
      'letsencrypt may not issue for shop.example.com. The CAA set at example.com allows only ca.example. Add this record: `example.com. 3600 IN CAA 0 issue "letsencrypt.org"`.',
  },
  attention: ['Less than 20 % of its lifetime is left.', 'An operator has to fix CaaError.'],
};

const registration = {
  accounts: [{ issuer: 'letsencrypt', url: 'https://ca.test/1', caaIdentities: ['letsencrypt.org'], caa: [] }],
  caa: [],
};
const executions: Readonly<Record<string, Partial<WorkflowExecution>>> = {
  [`${states}:execution:fleet:1`]: { end: '2026-03-01T09:01:00Z', input: '{}' },
  [`${states}:execution:accounts:1`]: {
    ...{ end: '2026-02-20T12:00:00Z', input: '{"action":"register"}', output: JSON.stringify(registration) },
  },
  [`${states}:execution:renewal:www-mj2k1c`]: {
    ...{ start: '2026-03-01T12:00:00Z', end: '2026-03-01T12:01:02Z', input: '{"certificate":"www"}' },
    output: '{"current":{"serialNumber":"04d4e5f6","notAfter":"2026-05-30T11:01:00Z"}}',
  },
  [`${states}:execution:renewal:shop-mj2k0a`]: {
    ...{ start: '2026-03-01T09:00:00Z', end: '2026-03-01T09:00:04Z', input: '{"certificate":"shop"}' },
    ...{ status: 'FAILED', error: 'CaaError', cause: shop.failure?.cause ?? '' },
  },
};
const entered = [
  ...['Start', 'Check renewal', 'Which action?', 'Check zones', 'New order', 'Order pending?', 'Prove control'],
  ...['Present challenges', 'Wait for propagation', 'Check propagation', 'Propagated?', 'Respond to challenges'],
  ...['Wait for validation', 'Poll order until ready', 'Clean up challenges', 'Finalize order', 'Wait for issuance'],
  ...['Poll order until valid', 'Store certificate', 'Deliver', 'Import certificate', 'Announce', 'Record success'],
  'Done',
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-documented-'));
  const config = configOf(
    ...[specWith({ name: 'www', identifiers: ['example.com', '*.example.com'], regions: ['us-east-1', 'eu-west-1'] })],
    ...[specWith({ name: 'api', identifiers: ['api.example.com'], hostedZones: [zone], regions: ['us-east-1'] })],
  );
  const issuers = config.issuers.map((each) => ({ ...each, name: letsEncrypt.name, newOrders: letsEncrypt.newOrders }));
  mkdirSync(join(folder, 'asset.check'));
  writeFileSync(join(folder, 'asset.check', 'config.json'), JSON.stringify({ ...config, issuers }));
  writeFileSync(
    join(folder, 'Perennial.assets.json'),
    JSON.stringify({ files: { check: { source: { path: 'asset.check' } } } }),
  );
  const artifacts = {
    assets: { type: 'cdk:asset-manifest', properties: { file: 'Perennial.assets.json' } },
    Perennial: { type: 'aws:cloudformation:stack', dependencies: ['assets'] },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command in an account with the certificates www and shop, of which shop fails. */
async function output(args: readonly string[]): Promise<string> {
  const world = createWorld({ now });
  world.hostedZones.addZone(zone.id, ['ns.zone.test']);
  world.dns.delegate(zone.name, 'ns.zone.test');
  world.dns.setCaa('shop.example.com', '0 issue "ca.example"');
  const { hostedZonesAs, dns } = world.ports;
  const terminal = createTerminal();
  const report = reportOf(0);
  const all = [certificateWith(www), certificateWith(shop)];
  const stateMachine = (name: string) => `${states}:stateMachine:${name}`;
  const ports = {
    terminal,
    clock: world.clock,
    deployments: {
      list: async () => [{ stack: 'Perennial', report: 'arn' }],
      report: async (_: string, { names }: { readonly names: readonly string[] | null }): Promise<ReportOutput> => ({
        ...{ ...report, at: now, lastSelection: '2026-03-01T09:01:00Z', next: null },
        certificates: all.filter(({ name }) => names === null || names.includes(name)),
        deployment: {
          ...{ ...report.deployment, stack: 'Perennial', version: '0.1.0', topic: 'arn:topic', issuers: [letsEncrypt] },
          hostedZones: [zone],
          stateMachines: {
            ...{ fleet: stateMachine('fleet'), renewal: stateMachine('renewal'), accounts: stateMachine('accounts') },
          },
        },
      }),
    },
    zones: () => ({ hostedZonesAs, dns }),
    checks: {
      scheduleOf: async () => ({ name: 'fleet', enabled: true }),
      subscriptions: async () => ({ confirmed: 0, pending: ['ops@example.com'] }),
      concurrency: async () => 1000,
      importedCertificates: async () => 12,
      acmQuota: async () => null,
    },
    permissions: { denied: async () => [], caller: async () => '' },
    workflows: {
      start: async () => `${states}:execution:renewal:www-mj2k1c`,
      list: async (arn: string, prefix: string) =>
        Object.keys(executions).filter((each) =>
          each.startsWith(`${arn.replace('stateMachine', 'execution')}:${prefix}`),
        ),
      describe: async (arn: string): Promise<WorkflowExecution> => ({
        ...{ arn, status: 'SUCCEEDED', start: now, end: now, error: null, cause: null, input: '', output: null },
        ...executions[arn],
      }),
      states: async (arn: string) =>
        arn.includes('shop')
          ? [
              { name: 'Check zones', at: now, failed: 'CaaError' },
              { name: 'Failed', at: now },
            ]
          : entered.map((name, index) => ({ name, at: new Date(Date.parse(now) + index * 2_000).toISOString() })),
    },
    pageAssets: () => ({ style: '', script: '' }),
    synthesize: async () => folder,
  };
  const [command, name = ''] = args;
  if (command === 'status') await status(undefined, {}, ports);
  else if (command === 'explain') await explain(name, {}, ports);
  else if (command === 'renew') await renew(name, { force: true, watch: true }, ports);
  else if (command === 'doctor') await doctor({}, ports);
  else await plan({}, () => ports);
  return terminal.lines.join('\n');
}

/** The examples of the page: a command, and what it prints. */
const examples = [...page.matchAll(/^```text\n\$ npx cdk-perennial (.+)\n([\s\S]+?)\n```$/gm)];

test('the page shows what five commands print', () => {
  const shown = examples.map(([, command = '']) => command.split(' ')[0]);
  expect(shown).toEqual(['status', 'explain', 'renew', 'plan', 'doctor']);
});

test.each(examples.map(([, command = '', text = '']) => [command, text] as const))(
  'the page shows the output of %s, in 80 columns',
  async (command, text) => {
    expect(await output(command.split(' '))).toBe(text);
    const lines = text.split('\n').filter((line) => !/arn:|https:/.test(line));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  },
);
