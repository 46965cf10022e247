import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  deploymentDimension,
  type FleetMetric,
  fleetMetrics,
  metricNamespace,
} from '../../lambdas/domain/contract/metrics.ts';

/** CloudWatch accepts alarms on periods of up to a day without restrictions. */
const longestPeriod = 24 * 3600;

/**
 * The metrics of a deployment. Each fleet run publishes them in the namespace `Perennial`, so the default period is the time between two runs, a day at
 * most.
 */
export abstract class RenewalMetrics extends Construct {
  /** Value of the dimension `Deployment` of all metrics. The names of the workflows begin with it. */
  abstract readonly deploymentName: string;
  /** Seconds between two fleet runs. */
  protected abstract readonly checkInterval: number;

  /**
   * Least part of its lifetime that a certificate has left, in percent, in its secret and in every region of ACM. A certificate that was not issued
   * within a day counts as 0.
   */
  metricLeastLifetimeLeft(options?: MetricOptions): Metric {
    return this.metric('LeastLifetimeLeft', options);
  }

  /** Days until the first certificate expires, in its secret and in every region of ACM. Negative after that. */
  metricLeastDaysLeft(options?: MetricOptions): Metric {
    return this.metric('LeastDaysLeft', options);
  }

  /** Number of configured certificates. */
  metricCertificates(options?: MetricOptions): Metric {
    return this.metric('Certificates', options);
  }

  /** Number of certificates that were due at the beginning of a run. */
  metricDue(options?: MetricOptions): Metric {
    return this.metric('Due', options);
  }

  /** Number of certificates that were due and that a run has left to the next one, because of the limits of a CA. */
  metricPostponed(options?: MetricOptions): Metric {
    return this.metric('Postponed', options);
  }

  /** Number of certificates whose last attempt failed. Paused ones count in an emergency only. */
  metricFailing(options?: MetricOptions): Metric {
    return this.metric('Failing', options);
  }

  /** Number of certificates that have failed for a day or longer, without a success in between. Paused ones count in an emergency only. */
  metricFailingForADay(options?: MetricOptions): Metric {
    return this.metric('FailingForADay', options);
  }

  /** Number of certificates that were not issued within a day after their first execution. Paused ones do not count. */
  metricNeverIssued(options?: MetricOptions): Metric {
    return this.metric('NeverIssued', options);
  }

  /** Number of TXT values in DNS that no execution needs. */
  metricLeftoverTxtValues(options?: MetricOptions): Metric {
    return this.metric('LeftoverTxtValues', options);
  }

  /** Age of the oldest lease on a configured certificate, in seconds. */
  metricOldestLease(options?: MetricOptions): Metric {
    return this.metric('OldestLease', options);
  }

  /** Number of certificates with an endpoint that does not present them, half an hour after a delivery or later. */
  metricNotServed(options?: MetricOptions): Metric {
    return this.metric('NotServed', options);
  }

  /**
   * Number of selections of due certificates. A run makes one after each 100 starts, and one at its end. Missing data means that the fleet does not
   * run.
   */
  metricSelections(options?: MetricOptions): Metric {
    return this.metric('Selections', options);
  }

  /** Number of certificates that the daily comparison found changed by another writer. */
  metricChangedOutside(options?: MetricOptions): Metric {
    return this.metric('ChangedOutside', options);
  }

  /** Number of certificates and regions that the daily comparison could not compare, and of comparisons that failed as a whole. */
  metricNotCompared(options?: MetricOptions): Metric {
    return this.metric('NotCompared', options);
  }

  private metric(metricName: FleetMetric, options?: MetricOptions): Metric {
    return new Metric({
      namespace: metricNamespace,
      metricName,
      dimensionsMap: { [deploymentDimension]: this.deploymentName },
      period: Duration.seconds(Math.min(this.checkInterval, longestPeriod)),
      statistic: fleetMetrics[metricName].statistic,
      ...options,
    });
  }
}
