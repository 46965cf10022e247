import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type IMetric, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRule } from 'aws-cdk-lib/aws-events';
import type { IScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { longestWithoutSelection } from '../../lambdas/domain/rules/renewal/selection-age.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import type { AlarmId } from './alarm-list.ts';
import { highMemoryCalls, refusedEvents } from './log-metrics.ts';
import { ends, expressionOf, failedInvocations, longestCall, sumOf } from './metric-expressions.ts';
import type { RenewalMetrics } from './renewal-metrics.ts';

/** What the alarms watch. */
export interface WatchedParts {
  readonly metrics: RenewalMetrics;
  /** Time between two fleet runs. */
  readonly interval: Duration;
  readonly workflows: Readonly<Record<'fleet' | 'renewal' | 'accounts', Workflow>>;
  /** At most ten, which is the limit of metric math in an alarm. */
  readonly functions: readonly WorkflowFunction[];
  readonly scheduleGroups: readonly IScheduleGroup[];
  readonly rules: readonly IRule[];
  readonly deadLetters: readonly IQueue[];
}

/** How one alarm evaluates its metric. */
export interface Evaluation {
  readonly metric: IMetric;
  readonly threshold: number;
  /** @default at or above the threshold */
  readonly comparison?: ComparisonOperator;
  /** Periods in a row. @default 1 */
  readonly periods?: number;
  readonly missing: TreatMissingData;
  /** Hours for which the alarm is quiet after its creation. @default 0 */
  readonly warmUpHours?: number;
}

/** Returns how an alarm evaluates with this threshold of the configuration. */
type EvaluationAt = (threshold?: number) => Evaluation;

const { BREACHING, NOT_BREACHING, IGNORE } = TreatMissingData;
const hour = Duration.hours(1);
const day = Duration.days(1);

/** Hours for which an alarm may be quiet after its creation, which is the longest time that CloudWatch accepts. */
const longestWarmUp = 48;

/**
 * Returns how each alarm evaluates. The default of each argument is the default threshold. Metric filters are created in `scope` when an evaluation is
 * asked for, so an alarm that is switched off has none.
 */
export function alarmEvaluations(
  scope: Construct,
  { metrics, interval, workflows, functions, scheduleGroups, rules, deadLetters }: WatchedParts,
): Readonly<Record<Exclude<AlarmId, 'needsAttention'>, EvaluationAt>> {
  const { fleet, renewal, accounts } = workflows;
  // Fleet runs begin up to an hour late. With this period each evaluation sees a value of the last run.
  const period = Duration.seconds(Math.min(interval.toSeconds() + hour.toSeconds(), day.toSeconds()));
  // In these periods a value has lasted for a day, because the run before the first such value is in none of them.
  const aDay = Math.ceil((day.toSeconds() + interval.toSeconds()) / period.toSeconds());
  // A run that has not reported yet changes nothing, and the alarm keeps its state.
  const gauge = (metric: Metric, threshold: number): Evaluation => ({ metric, threshold, missing: IGNORE });
  const count = (all: readonly Metric[], threshold: number, over = period): Evaluation => ({
    metric: sumOf(all, over),
    threshold,
    missing: NOT_BREACHING,
  });
  // A step that is retried is an error of its function too, so single errors are not counted.
  const eachTenMinutes = (all: readonly Metric[], threshold: number): Evaluation => ({
    ...count(all, threshold, Duration.minutes(10)),
    periods: 6,
  });
  return {
    // Counts whole hours without a value. The fleet run of the first deployment gives the first value, so the alarm is quiet until then.
    fleetDoesNotRun: (hours = Math.ceil(longestWithoutSelection(interval.toSeconds()) / hour.toSeconds())) => ({
      metric: metrics.metricSelections({ period: hour }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: hours,
      missing: BREACHING,
      warmUpHours: Math.min(hours, longestWarmUp),
    }),
    fleetFails: (executions = 1) =>
      count([...ends(fleet.stateMachine), fleet.stateMachine.metricThrottled()], executions),
    renewalsFail: (failures = 1) =>
      count([...ends(renewal.stateMachine), ...ends(accounts.stateMachine), metrics.metricFailingForADay()], failures),
    lifetimeRunsOut: (percent = 20) => ({
      ...gauge(metrics.metricLeastLifetimeLeft({ period }), percent),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    }),
    leaseTooOld: (hours = 3) => ({
      ...gauge(metrics.metricOldestLease({ period }), hours * hour.toSeconds()),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    }),
    renewalsPostponed: (certificates = 1) => ({
      ...gauge(metrics.metricPostponed({ period }), certificates),
      periods: aDay,
    }),
    notServed: (certificates = 1) => gauge(metrics.metricNotServed({ period }), certificates),
    // Each certificate is compared once a day.
    changedOutside: (certificates = 1) =>
      count([metrics.metricChangedOutside(), metrics.metricNotCompared()], certificates, day),
    // A run starts the removal, so the least value of a period is what could not be removed.
    txtValuesNotRemoved: (values = 1) => ({
      ...gauge(metrics.metricLeftoverTxtValues({ period, statistic: 'Minimum' }), values),
      periods: aDay,
    }),
    functionErrors: (errors = 1) =>
      eachTenMinutes(
        functions.map((each) => each.function.metricErrors()),
        errors,
      ),
    functionThrottles: (calls = 1) =>
      eachTenMinutes(
        functions.map((each) => each.function.metricThrottles()),
        calls,
      ),
    functionDuration: (percent = 90) => ({
      metric: longestCall(functions, period),
      threshold: percent,
      missing: NOT_BREACHING,
    }),
    functionMemory: (percent = 80) => count([highMemoryCalls(scope, metrics.deploymentName, functions, percent)], 1),
    plumbing: (failures = 1) => {
      const parts = [
        ...scheduleGroups.flatMap((group) => [group.metricTargetErrors(), group.metricDropped()]),
        ...rules.map(failedInvocations),
        ...deadLetters.map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
      ];
      const logGroups = Object.values(workflows).map(({ logGroup }) => logGroup);
      const refused = refusedEvents(scope, metrics.deploymentName, logGroups);
      return {
        metric: expressionOf([...parts, refused], period, (ids) =>
          // An event is refused four times before its state gives up.
          ids.map((each, index) => (index === parts.length ? `FLOOR(${each} / 4)` : each)).join(' + '),
        ),
        threshold: failures,
        missing: NOT_BREACHING,
      };
    },
  };
}
