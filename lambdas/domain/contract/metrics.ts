/** Namespace of all metrics. */
export const metricNamespace = 'Perennial';

/** The only dimension. Its value is the name of the deployment, with which the names of its workflows begin. */
export const deploymentDimension = 'Deployment';

/** The metrics that fleet runs publish: unit, and the statistic that makes sense of several values. */
export const fleetMetrics = {
  /** Least part of its lifetime that a stored or delivered certificate has left. 0 for a certificate that was not issued within a day. */
  LeastLifetimeLeft: { unit: 'Percent', statistic: 'Minimum' },
  /** Days until the first stored or delivered certificate expires. Negative after that. */
  LeastDaysLeft: { unit: 'NoUnit', statistic: 'Minimum' },
  /** Configured certificates. */
  Certificates: { unit: 'Count', statistic: 'Maximum' },
  /** Certificates that were due at the beginning of a run. */
  Due: { unit: 'Count', statistic: 'Maximum' },
  /** Certificates that are due and that the run has not started. */
  Postponed: { unit: 'Count', statistic: 'Minimum' },
  /** Certificates whose last attempt failed. */
  Failing: { unit: 'Count', statistic: 'Maximum' },
  /** Certificates that have failed for a day or longer, without a success in between. */
  FailingForADay: { unit: 'Count', statistic: 'Maximum' },
  /** Certificates that were not issued within a day after their first execution. */
  NeverIssued: { unit: 'Count', statistic: 'Maximum' },
  /** TXT values in DNS that no execution needs. */
  LeftoverTxtValues: { unit: 'Count', statistic: 'Maximum' },
  /** Age of the oldest lease on a configured certificate. */
  OldestLease: { unit: 'Seconds', statistic: 'Maximum' },
  /** Certificates with an endpoint that does not present them, half an hour after a delivery or later. */
  NotServed: { unit: 'Count', statistic: 'Maximum' },
  /** Selections of due certificates. A run makes one after each 100 starts, and one at its end. */
  Selections: { unit: 'Count', statistic: 'Sum' },
  /** Certificates that the daily comparison found changed. */
  ChangedOutside: { unit: 'Count', statistic: 'Sum' },
  /** Certificates that could not be compared, and comparisons that failed as a whole. */
  NotCompared: { unit: 'Count', statistic: 'Sum' },
} as const;

/** Name of a metric. */
export type FleetMetric = keyof typeof fleetMetrics;

/** Values of some metrics. */
export type FleetMetricValues = Readonly<Partial<Record<FleetMetric, number>>>;
