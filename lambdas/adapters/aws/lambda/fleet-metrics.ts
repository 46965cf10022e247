import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import {
  deploymentDimension,
  type FleetMetric,
  fleetMetrics,
  metricNamespace,
} from '../../../domain/contract/metrics.ts';
import type { FleetMetrics } from '../../../domain/ports/runtime.ts';

/**
 * Metrics in embedded metric format. CloudWatch reads them from log lines, so that no call and no permission is needed. The only dimension is the
 * deployment, so that its metrics stay together if a function gets another name.
 */
export function createFleetMetrics({ deployment }: { readonly deployment: string }): FleetMetrics {
  return {
    publish: (values) => {
      const metrics = new Metrics({ namespace: metricNamespace });
      metrics.clearDefaultDimensions();
      metrics.addDimension(deploymentDimension, deployment);
      for (const [name, value] of Object.entries(values))
        metrics.addMetric(name, MetricUnit[fleetMetrics[name as FleetMetric].unit], value);
      metrics.publishStoredMetrics();
    },
  };
}
