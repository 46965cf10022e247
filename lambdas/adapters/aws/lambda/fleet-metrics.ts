import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { FleetMetrics } from '../../../domain/ports/runtime.ts';

/** Embedded metric format: lines in the log that CloudWatch reads as metrics, no call and no permission. */
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
