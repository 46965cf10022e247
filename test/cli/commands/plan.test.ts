import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plan } from '../../../cli/commands/plan.ts';
import { daysOfOrders, monthlyCost } from '../../../cli/planned-changes.ts';
import type { DeployedConfig } from '../../../lambdas/domain/contract/config.ts';
import { AccessDeniedError } from '../../../lambdas/domain/contract/errors.ts';
import type { CertificateReport } from '../../../lambdas/domain/contract/report.ts';
import type { RegistrationOutput } from '../../../lambdas/domain/contract/steps.ts';
import type { OperatorChecks } from '../../../lambdas/domain/ports/operator-checks.ts';
import type { RolePermissions } from '../../../lambdas/domain/ports/role-permissions.ts';
import { configOf, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-plan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Written {
  /** Name of the stack, if it is not that of its construct. */
  readonly stackName?: string;
  readonly region?: string;
  /** Folder of a stage in the assembly. */
  readonly stage?: string;
}

/** Writes a stack into the cloud assembly as `cdk synth` does, with its manifest and the assets that this names. */
function synthesized(stack: string, config: DeployedConfig, { stackName, region, stage = '' }: Written = {}): void {
  const files = ['check', 'fleet'].map((name) => {
    const path = `asset.${stack}-${name}`;
    mkdirSync(join(folder, stage, path), { recursive: true });
    writeFileSync(join(folder, stage, path, 'config.json'), JSON.stringify(config));
    return [name, { source: { path } }] as const;
  });
  writeFileSync(join(folder, stage, `${stack}.assets.json`), JSON.stringify({ files: Object.fromEntries(files) }));
  const manifest = join(folder, stage, 'manifest.json');
  const { artifacts = {} } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {};
  artifacts[`${stack}.assets`] = { type: 'cdk:asset-manifest', properties: { file: `${stack}.assets.json` } };
  artifacts[stack] = {
    type: 'aws:cloudformation:stack',
    environment: `aws://unknown-account/${region ?? 'unknown-region'}`,
    dependencies: [`${stack}.assets`],
    properties: { templateFile: `${stack}.template.json`, ...(stackName && { stackName }) },
  };
  writeFileSync(manifest, JSON.stringify({ artifacts }));
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

interface World {
  readonly delegated?: boolean;
  /** The CAA record of example.com. */
  readonly caa?: string;
  readonly permissions?: Partial<RolePermissions>;
  /** Output of the last registration. */
  readonly registration?: RegistrationOutput;
}

const registered = '2026-03-01T11:00:00Z';

async function run(
  deployed: readonly CertificateReport[] | null,
  options: object = {},
  { delegated = true, caa, permissions, registration }: World = {},
) {
  const regions: (string | undefined)[] = [];
  const syntheses: unknown[] = [];
  const roots: (readonly string[])[] = [];
  const world = createWorld();
  world.hostedZones.addZone('Z1', ['ns.zone.test']);
  world.dns.delegate('example.com', ...[delegated ? 'ns.zone.test' : 'ns.elsewhere.test']);
  if (caa !== undefined) world.dns.setCaa('example.com', caa);
  const { hostedZonesAs, dns } = world.ports;
  const terminal = createTerminal();
  const code = await plan({ cdkOut: folder, ...options }, (region) => {
    regions.push(region);
    return {
      deployments: {
        list: async () => (deployed ? [...others, { stack: 'Perennial', report: 'arn' }] : others),
        report: async () => ({ ...reportOf(0), certificates: deployed ?? [], next: null }),
      },
      permissions: { denied: async () => [], caller: async () => 'arn:aws:iam::111122223333:user/ann', ...permissions },
      synthesize: async (given) => {
        syntheses.push(given);
        return folder;
      },
      zones: (rootServers) => {
        roots.push(rootServers);
        return { hostedZonesAs, dns };
      },
      workflows: {
        list: async () => (registration ? ['arn:registration'] : []),
        describe: async (arn) => ({
          ...{ arn, status: 'SUCCEEDED', start: registered, end: registered, error: null, cause: null },
          ...{ input: '{"action":"register"}', output: JSON.stringify(registration) },
        }),
      },
      checks: { importedCertificates: async () => 7, acmQuota: async () => null } as unknown as OperatorChecks,
      terminal,
      clock: world.clock,
    };
  });
  return { code, text: terminal.lines.join('\n'), regions, syntheses, roots };
}

/** Deployments of other apps in the region. */
const others = ['One', 'Two'].map((stack) => ({ stack, report: 'arn:other' }));

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
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'OK ACM in eu-west-1: 8 of 2,500 imported certificates, with 1 new one, about 12 of 5,000 imports a year',
    );
    expect(text).toContain('OK  zones of www, new: the zones are delegated, and CAA allows the CA');
    expect(text).not.toContain('zones of same');
    expect(code).toBe(0);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('before the first deployment shows every certificate as new', async () => {
    synthesized('Perennial', configOf(www));
    const { text } = await run(null);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'with no deployment of the stack Perennial, so this is the first one.',
    );
    expect(text).toMatch(/new +www/);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'Not checked: permissions, because this deployment creates the roles of the functions.',
    );
  });

  test('names a call that the deployed role may not make, and shows the rest if simulations are denied', async () => {
    synthesized('Perennial', configOf(specWith({ name: 'www', hostedZones: [{ id: 'Z1', name: 'example.com' }] })));
    const organization = await run(
      [],
      {},
      {
        permissions: {
          denied: async (_, { actions, resources }) =>
            actions.includes('route53:GetHostedZone')
              ? [{ action: 'route53:GetHostedZone', resource: resources[0] ?? '', by: 'organization' }]
              : [],
        },
      },
    );
    expect(organization.text.replaceAll(/\s+/g, ' ')).toContain(
      'may not call route53:GetHostedZone on arn:aws:route53:::hostedzone/Z1, because a policy of the organization does not allow it.',
    );
    expect(organization.code).toBe(1);

    const refused = await run(
      [],
      {},
      {
        permissions: {
          denied: async (role) => {
            throw new AccessDeniedError({
              what: 'Denied.',
              action: 'iam:SimulatePrincipalPolicy',
              resource: `role ${role}`,
            });
          },
        },
      },
    );
    expect(refused.text).toContain('"Action":"iam:SimulatePrincipalPolicy"');
    expect(refused.text).toContain('OK  zones of www: ');
    expect(refused.code).toBe(4);
  });

  test('says that nothing changes', async () => {
    synthesized('Perennial', configOf(www));
    expect((await run([deployedAs(www)])).text).toContain('No certificate changes.');
  });

  test('names what is wrong with a zone before anything is ordered', async () => {
    synthesized('Perennial', configOf(www));
    const { code, text } = await run([], {}, { delegated: false });
    expect(text).toMatch(/FIX zones of www: .*example\.com/s);
    expect(code).toBe(1);
  });

  test.each([
    ['?   zones of www: CAA records at example.com restrict who may issue', 'the CA has no account yet', undefined, 4],
    ['OK  zones of www: ', 'the registered account is allowed', 'ca.test', 0],
    ['FIX zones of www: test-ca may not issue for www.example.com.', 'they name another CA', 'other.test', 1],
  ] as const)('says "%s" if %s', async (line, _, identity, exitCode) => {
    synthesized('Perennial', configOf(www));
    const account = { issuer: 'test-ca', url: 'https://ca.test/1', caaIdentities: ['ca.test'], caa: [] };
    const { code, text } = await run(
      [],
      {},
      {
        caa: `0 issue "${identity ?? 'ca.test'}"`,
        ...(identity && { registration: { accounts: [account], caa: [] } }),
      },
    );
    expect(text).toContain(line);
    expect(code).toBe(exitCode);
  });

  test('reads the region of the stack where the app has a token of the CDK', async () => {
    synthesized(
      'Perennial',
      configOf({ ...www, regions: ['@0'] }, specWith({ name: 'new', regions: ['@0', 'eu-west-1'] })),
    );
    const delivery = { region: 'eu-west-1', arn: 'arn:1', current: true };
    const json = JSON.parse((await run([deployedAs(www, { deliveries: [delivery] })], { json: true })).text);
    expect(json.changes).toMatchObject([{ name: 'new', imports: ['eu-west-1'] }]);
    expect(json.findings).toContainEqual(
      expect.objectContaining({ check: 'ACM in eu-west-1', text: expect.stringContaining('8 of 2,500') }),
    );
  });

  test('queries the root servers of the configuration, also before the first deployment', async () => {
    synthesized('Perennial', configOf(www));
    const Environment = { Variables: { ROOT_SERVERS: '192.0.2.1:53,192.0.2.2:53' } };
    writeFileSync(
      join(folder, 'Perennial.template.json'),
      JSON.stringify({ Resources: { Challenge: { Properties: { Environment } }, Table: {} } }),
    );
    expect((await run(null)).roots).toEqual([['192.0.2.1:53', '192.0.2.2:53']]);
  });

  test('does not check a zone whose id is known only after the deployment', async () => {
    synthesized('Perennial', configOf(specWith({ name: 'www', hostedZones: [{ id: '@0', name: 'example.com' }] })));
    const { code, text } = await run([], {}, { delegated: false });
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'Not checked: the zones of www, because the CDK does not know their ids yet.',
    );
    expect(text).not.toContain('OK  zones of www');
    expect(code).toBe(0);
  });

  test('gives the plan as JSON', async () => {
    synthesized('Perennial', configOf(www));
    const json = JSON.parse((await run([], { json: true })).text) as Record<string, unknown>;
    expect(json).toMatchObject({
      changes: [{ name: 'www', change: 'new', orderedFrom: 'test-ca' }],
      limits: { orders: [{ issuer: 'test-ca', count: 1, days: 0 }] },
      unchecked: [],
    });
    expect(json.findings).toEqual([
      expect.objectContaining({ check: 'zones of www', result: 'ok' }),
      expect.objectContaining({ check: 'permissions of challenge', result: 'ok' }),
      expect.objectContaining({ check: 'permissions of certificate', result: 'ok' }),
    ]);
  });
});

describe('the app of the folder', () => {
  const options = { cdkOut: undefined, context: ['config=other.ts'], profile: 'ops' };

  test('is synthesized without --cdk-out, with the options of the CDK', async () => {
    synthesized('Perennial', configOf(www));
    const { text, syntheses } = await run([], options);
    expect(text).toMatch(/^Compared the configuration of the app \(1 certificate\) with the stack Perennial/);
    expect(syntheses).toEqual([options]);
  });

  test.each([
    ['its stack has', { region: 'eu-west-1' }, {}, 'eu-west-1'],
    ['--region gives', { region: 'eu-west-1' }, { region: 'eu-north-1' }, 'eu-north-1'],
    ['the profile gives', {}, {}, undefined],
  ])('is compared with the deployment in the region that %s', async (_, written, given, region) => {
    synthesized('Perennial', configOf(www), written);
    expect((await run([], given)).regions.at(-1)).toBe(region);
  });

  test('is compared with the stack of its name, although other apps have deployed Perennial too', async () => {
    synthesized('Site', configOf(www), { stackName: 'Perennial' });
    expect((await run([deployedAs(www)])).text).toContain('No certificate changes.');
  });
});

describe('a cloud assembly', () => {
  test('without Perennial is a sentence', async () => {
    await expect(run([])).rejects.toThrow('has no configuration of Perennial. Run "npx cdk synth"');
  });

  test('with two configurations needs --stack', async () => {
    synthesized('One', configOf(www));
    synthesized('Two', configOf(specWith({ name: 'api' })));
    await expect(run([])).rejects.toThrow(
      'The app has 2 configurations of Perennial, in the stacks One, Two. Choose one with --stack.',
    );
    expect((await run([], { stack: 'Two' })).text).toMatch(/new +api/);
  });

  test('has the stacks of stages', async () => {
    writeFileSync(join(folder, 'manifest.json'), '{"artifacts":{}}');
    synthesized('ProdSite', configOf(www), { stage: 'assembly-Prod', stackName: 'Prod-Site' });
    expect((await run(null, { stack: 'Prod-Site' })).text).toMatch(/new +www/);
  });

  test('is shown with the time at which it was written', async () => {
    synthesized('Perennial', configOf(www));
    utimesSync(join(folder, 'manifest.json'), new Date(0), new Date('2026-02-01T10:00:00Z'));
    expect((await run([])).text.replaceAll(/\s+/g, ' ')).toContain(
      ', written at 2026-02-01 10:00 UTC, (1 certificate)',
    );
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
