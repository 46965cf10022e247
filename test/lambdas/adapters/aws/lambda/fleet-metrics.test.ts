import { afterEach, expect, test, vi } from 'vitest';
import { createFleetMetrics } from '../../../../../lambdas/adapters/aws/lambda/fleet-metrics.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test('values are one log line in embedded metric format, with units and the deployment as the only dimension', () => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'fleet');
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
  const values = { LeastLifetimeLeft: 33.5, Failing: 2, OldestLease: 60 };
  createFleetMetrics({ deployment: 'Site-Certificates' }).publish(values);
  vi.restoreAllMocks();
  expect(lines).toHaveLength(1);
  const { _aws: metadata, ...rest } = JSON.parse(lines[0] ?? '') as { readonly _aws: { CloudWatchMetrics: unknown } };
  expect(rest).toEqual({ Deployment: 'Site-Certificates', ...values });
  expect(metadata.CloudWatchMetrics).toEqual([
    {
      Namespace: 'Perennial',
      Dimensions: [['Deployment']],
      Metrics: [
        { Name: 'LeastLifetimeLeft', Unit: 'Percent' },
        { Name: 'Failing', Unit: 'Count' },
        { Name: 'OldestLease', Unit: 'Seconds' },
      ],
    },
  ]);
});
