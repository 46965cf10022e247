import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '..', '..', 'examples', 'cloudfront-site');

/** Templates of the example, by stack, as `cdk synth` makes them. */
function synthesized(context: Readonly<Record<string, string>>): Record<string, { readonly Resources: object }> {
  const outdir = mkdtempSync(join(tmpdir(), 'perennial-example-'));
  try {
    const { app } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8')) as { readonly app: string };
    const [, file = ''] = app.split(' ');
    execFileSync(process.execPath, ['--conditions=perennial-source', file], {
      cwd: folder,
      env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
      stdio: 'pipe',
    });
    const templates = readdirSync(outdir).filter((name) => name.endsWith('.template.json'));
    return Object.fromEntries(
      templates.map((name) => [name.split('.')[0], JSON.parse(readFileSync(join(outdir, name), 'utf8'))]),
    );
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test('the example makes a zone in a stack of its own where the domain has none', () => {
  const { SiteZone, ...others } = synthesized({ domain: 'example.com' });
  expect(Object.keys(others)).toEqual(['Site']);
  expect(JSON.stringify(SiteZone?.Resources)).toContain('AWS::Route53::HostedZone');
});

test('the example uses the zone that there is', () => {
  const { Site, ...others } = synthesized({ domain: 'example.com', hostedZoneId: 'Z0123456789ABCDEFGHIJ' });
  expect(others).toEqual({});
  const text = JSON.stringify(Site?.Resources);
  expect(text).toContain('"HostedZoneId":"Z0123456789ABCDEFGHIJ"');
  expect(text).toContain('Custom::PerennialCertificate');
});

test('the example asks for a domain', () => {
  expect(() => synthesized({})).toThrow('Say which domain to serve: -c domain=example.com');
});
