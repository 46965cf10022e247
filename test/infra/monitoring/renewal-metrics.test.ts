import { readFileSync } from 'node:fs';
import { App, Duration, Stack } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { expect, test } from 'vitest';
import { CertificateRenewal } from '../../../infra/certificate-renewal.ts';
import { fleetMetrics } from '../../../lambdas/domain/contract/metrics.ts';
import { ofType, smallConfig, synthesize } from '../synthesized.ts';

/** Returns the construct in a stack of its own. */
const construct = (props: Partial<typeof smallConfig> & { readonly schedule?: Duration } = {}) =>
  new CertificateRenewal(new Stack(new App(), 'Perennial'), 'Certificates', { ...smallConfig, ...props });

const metricOf = (certificates: CertificateRenewal, name: string): Metric =>
  certificates[`metric${name as keyof typeof fleetMetrics}`]();

test('the construct has a method for each metric, with the dimension that the fleet function publishes', () => {
  const certificates = construct();
  for (const [name, { statistic }] of Object.entries(fleetMetrics)) {
    const { namespace, metricName, dimensions, ...metric } = metricOf(certificates, name);
    expect({ namespace, metricName, dimensions, statistic: metric.statistic }).toEqual({
      namespace: 'Perennial',
      metricName: name,
      dimensions: { Deployment: certificates.deploymentName },
      statistic,
    });
  }
  const published = ofType(synthesize(smallConfig).resources, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const { Variables } = Properties.Environment as { readonly Variables: Readonly<Record<string, unknown>> };
    return Variables.METRICS_DEPLOYMENT ?? [];
  });
  expect(published).toEqual([certificates.deploymentName]);
});

test('two constructs in one stack have metrics of their own', () => {
  const stack = new Stack(new App(), 'Perennial');
  const names = ['one/', 'two/'].map(
    (secretPrefix) => new CertificateRenewal(stack, secretPrefix, { ...smallConfig, secretPrefix }).deploymentName,
  );
  expect(new Set(names).size).toBe(2);
});

test('the period is the time between two runs, a day at most', () => {
  const periodOf = (schedule: Duration) => construct({ schedule }).metricFailing().period.toHours();
  expect(periodOf(Duration.hours(6))).toBe(6);
  expect(periodOf(Duration.days(3))).toBe(24);
});

test('options replace what a metric has by default', () => {
  const metric = construct().metricDue({ statistic: 'avg', period: Duration.minutes(5), label: 'due' });
  expect(metric).toMatchObject({ statistic: 'Average', label: 'due', metricName: 'Due' });
  expect(metric.period.toMinutes()).toBe(5);
});

test('the page about operations has each metric with its method and its statistic', () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  for (const [name, { statistic }] of Object.entries(fleetMetrics))
    expect(page).toContain(`| \`${name}\` | \`metric${name}()\` | ${statistic.toLowerCase()} |`);
});
