import type { FleetRun } from '../domain/contract/steps.ts';
import type { FleetMetrics } from '../domain/ports/runtime.ts';

/**
 * Counts a comparison that failed as a whole. The run does not fail because of it, since all renewals are started. The next run continues where the
 * comparison stopped.
 *
 * A second run counts it twice, which an alarm on this metric does not notice, so it is safe.
 */
export async function reportFailedComparison(
  _: FleetRun,
  { metrics }: { readonly metrics: FleetMetrics },
): Promise<Record<string, never>> {
  metrics.publish({ NotCompared: 1 });
  return {};
}
