import { expect, test } from 'vitest';
import { runApp } from './run-app.ts';

const file = 'examples/cloudfront-site/app.ts';

test('the example creates the hosted zone in a separate stack if the domain has none', async () => {
  const { SiteZone, ...others } = (await runApp(file, { domain: 'example.com' })).templates;
  expect(Object.keys(others)).toEqual(['Site']);
  expect(JSON.stringify(SiteZone?.Resources)).toContain('AWS::Route53::HostedZone');
});

test('the example uses an existing hosted zone', async () => {
  const context = { domain: 'example.com', hostedZoneId: 'Z0123456789ABCDEFGHIJ' };
  const { Site, ...others } = (await runApp(file, context)).templates;
  expect(others).toEqual({});
  const text = JSON.stringify(Site?.Resources);
  expect(text).toContain('"HostedZoneId":"Z0123456789ABCDEFGHIJ"');
  expect(text).toContain('Custom::PerennialCertificate');
});

test('the example fails without a domain and names the option', async () => {
  await expect(runApp(file, {})).rejects.toThrow(/domain.*-c domain=example\.com/);
});
