import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { FleetMetrics } from '../../../domain/ports/runtime.ts';

/** Metrics in embedded metric format. CloudWatch reads them from log lines, so that no call and no permission is needed. */
export const fleetMetrics: FleetMetrics = {
  fleet: (values) => {
    const metrics = new Metrics();
    for (const [name, value] of Object.entries(values)) metrics.addMetric(name, MetricUnit.Count, value);
    metrics.publishStoredMetrics();
  },
  minimumDaysToExpiry: (days) => {
    const metrics = new Metrics();
    metrics.addMetric('MinimumDaysToExpiry', MetricUnit.NoUnit, days);
    metrics.publishStoredMetrics();
  },
};
