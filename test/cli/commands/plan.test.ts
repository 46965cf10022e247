import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan } from '../../../cli/commands/plan.ts';
import { daysOfOrders, monthlyCost } from '../../../cli/planned-changes.ts';
import type { DeployedConfig } from '../../../lambdas/domain/contract/config.ts';
import type { CertificateReport } from '../../../lambdas/domain/contract/report.ts';
import { configOf, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-plan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a cloud assembly as `cdk synth` does: a manifest for each stack, and the assets that it names. */
function synthesized(stack: string, config: DeployedConfig): void {
  const files = ['check', 'fleet'].map((name) => {
    const path = `asset.${stack}-${name}`;
    mkdirSync(join(folder, path));
    writeFileSync(join(folder, path, 'config.json'), JSON.stringify(config));
    return [name, { source: { path } }] as const;
  });
  writeFileSync(join(folder, `${stack}.assets.json`), JSON.stringify({ files: Object.fromEntries(files) }));
}

const deployedAs = (spec: ReturnType<typeof specWith>, fields: Partial<CertificateReport> = {}) =>
  certificateWith({
    name: spec.name,
    identifiers: spec.identifiers,
    current: factsWith({
      identifiers: spec.identifiers,
      notAfter: '2026-06-01T00:00:00Z',
      notBefore: '2026-02-25T00:00:00Z',
    }),
    deliveries: [],
    ...fields,
  });

async function run(deployed: readonly CertificateReport[] | null, options: object = {}, delegated = true) {
  const world = createWorld();
  world.hostedZones.addZone('Z1', ['ns.zone.test']);
  world.dns.delegate('example.com', ...[delegated ? 'ns.zone.test' : 'ns.elsewhere.test']);
  const { hostedZonesAs, dns } = world.ports;
  const terminal = createTerminal();
  const code = await plan(
    { cdkOut: folder, ...options },
    {
      deployments: {
        list: async () => (deployed ? [{ stack: 'Perennial', report: 'arn' }] : []),
        report: async () => ({ ...reportOf(0), certificates: deployed ?? [], next: null }),
      },
      zones: () => ({ hostedZonesAs, dns }),
      terminal,
      clock: world.clock,
    },
  );
  return { code, text: terminal.lines.join('\n') };
}

const www = specWith({ name: 'www', identifiers: ['www.example.com'] });

describe('plan', () => {
  test('shows what is new, changed and removed, and what is ordered for it', async () => {
    const same = specWith({ name: 'same', identifiers: ['same.example.com'] });
    const moved = specWith({ name: 'moved', identifiers: ['moved.example.com'], regions: ['eu-west-1'] });
    synthesized('Perennial', configOf(www, same, moved, specWith({ name: 'new', identifiers: ['new.example.com'] })));
    const { code, text } = await run([
      deployedAs(specWith({ name: 'www', identifiers: ['old.example.com'] })),
      deployedAs(same),
      deployedAs(moved),
      deployedAs(specWith({ name: 'gone' })),
    ]);
    expect(text).toMatch(/changed +www +test-ca +identifiers changed/);
    expect(text).toMatch(/changed +moved +- +it is also delivered to eu-west-1/);
    expect(text).toMatch(/new +new +test-ca +it is new/);
    expect(text).toMatch(/removed +gone +- +its secret and its imports stay/);
    expect(text).not.toMatch(/^changed +same/m);
    expect(text).toContain('Orders at test-ca: 2, within its limit.');
    expect(text).toContain('ACM in eu-west-1: 1 of 2,500 certificates, about 12 of 5,000 imports a year');
    expect(text).toContain('OK  zones of www: the zones are delegated, and CAA allows the CA');
    expect(text).not.toContain('zones of same');
    expect(code).toBe(0);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('before the first deployment shows every certificate as new', async () => {
    synthesized('Perennial', configOf(www));
    const { text } = await run(null);
    expect(text).toContain('no deployment');
    expect(text).toMatch(/new +www/);
  });

  test('says that nothing changes', async () => {
    synthesized('Perennial', configOf(www));
    expect((await run([deployedAs(www)])).text).toContain('No certificate changes.');
  });

  test('names what is wrong with a zone before anything is ordered', async () => {
    synthesized('Perennial', configOf(www));
    const { code, text } = await run([], {}, false);
    expect(text).toMatch(/FIX zones of www: .*example\.com/s);
    expect(code).toBe(1);
  });

  test('does not check a zone whose id is known only after the deployment', async () => {
    synthesized('Perennial', configOf(specWith({ name: 'www', hostedZones: [{ id: '@0', name: 'example.com' }] })));
    const { code, text } = await run([], {}, false);
    expect(text).not.toContain('zones of www');
    expect(code).toBe(0);
  });

  test('gives the plan as JSON', async () => {
    synthesized('Perennial', configOf(www));
    const json = JSON.parse((await run([], { json: true })).text) as Record<string, unknown>;
    expect(json).toMatchObject({
      changes: [{ name: 'www', change: 'new', orderedFrom: 'test-ca' }],
      limits: { orders: [{ issuer: 'test-ca', count: 1, days: 0 }], acm: [] },
      findings: [{ check: 'zones of www', result: 'ok' }],
    });
  });
});

describe('a cloud assembly', () => {
  test('without Perennial is a sentence', async () => {
    await expect(run([])).rejects.toThrow('has no configuration of Perennial. Run "cdk synth" first');
  });

  test('with two configurations needs --stack', async () => {
    synthesized('One', configOf(www));
    synthesized('Two', configOf(specWith({ name: 'api' })));
    await expect(run([])).rejects.toThrow('has 2 different configurations of Perennial. Choose a stack with --stack.');
    expect((await run([], { stack: 'Two' })).text).toMatch(/new +api/);
  });

  test('is read without the assets of earlier runs', async () => {
    synthesized('Perennial', configOf(www));
    mkdirSync(join(folder, 'asset.stale'));
    writeFileSync(join(folder, 'asset.stale', 'config.json'), JSON.stringify(configOf(specWith({ name: 'stale' }))));
    expect((await run([])).text).not.toContain('stale');
  });
});

test.each([
  [250, 0],
  [300, (50 * 36) / 86_400],
  [100_250, 100_000 / 2_400],
])("the limit of %d orders at Let's Encrypt stretches them over %d days", (count, days) => {
  expect(daysOfOrders(count, { ...issuer, newOrders: { burst: 250, everySeconds: 36 } })).toBeCloseTo(days, 6);
});

test.each([1, 10, 100, 1_000])('the cost of %d certificates is that of the page about costs', (count) => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'costs.md'), 'utf8');
  const [, ...totals] =
    /\*\*together\*\* \|[ |]*\*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\*/.exec(page) ??
    [];
  const documented = Number(totals[[1, 10, 100, 1_000].indexOf(count)]);
  // The page adds rounded rows.
  expect(Math.abs(monthlyCost(count, 1) - documented)).toBeLessThan(0.02);
});
