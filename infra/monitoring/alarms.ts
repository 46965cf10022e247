import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmBase,
  AlarmRule,
  AlarmState,
  type CfnAlarm,
  ComparisonOperator,
  CompositeAlarm,
  type IMetric,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IRule } from 'aws-cdk-lib/aws-events';
import type { IScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { CheckedMonitoring } from '../config/monitoring.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { type AlarmId, alarmTexts } from './alarm-list.ts';
import { highMemoryCalls, refusedEvents } from './log-metrics.ts';
import { ends, expressionOf, failedInvocations, longestCall, sumOf } from './metric-expressions.ts';
import type { RenewalMetrics } from './renewal-metrics.ts';

export interface AlarmsProps extends CheckedMonitoring {
  readonly metrics: RenewalMetrics;
  /** Suffix of the names of the alarms, or an empty text. */
  readonly nameSuffix: string;
  /** Time between two fleet runs. */
  readonly interval: Duration;
  readonly workflows: Readonly<Record<'fleet' | 'renewal' | 'accounts', Workflow>>;
  /** At most ten, which is the limit of metric math in an alarm. */
  readonly functions: readonly WorkflowFunction[];
  readonly scheduleGroups: readonly IScheduleGroup[];
  readonly rules: readonly IRule[];
  readonly deadLetters: readonly IQueue[];
  /** Topic that the alarms publish to. @default none: the alarms have no action */
  readonly topic?: ITopic | undefined;
}

const hour = Duration.hours(1);
const day = Duration.days(1);

/** Hours for which an alarm may be quiet after its creation, which is the longest time that CloudWatch accepts. */
const longestWarmUp = 48;

/** How one alarm evaluates its metric. */
interface Evaluation {
  readonly metric: IMetric;
  /** Default threshold. The alarm goes off at this value. */
  readonly threshold: number;
  /** @default at or above the threshold */
  readonly comparison?: ComparisonOperator;
  /** Periods in a row. @default 1 */
  readonly periods?: number;
  readonly missing: TreatMissingData;
}

const { BREACHING, NOT_BREACHING, IGNORE } = TreatMissingData;

/**
 * The alarms of a deployment. None of them depends on the part that it watches. CloudWatch has the metrics of Step Functions, Lambda, EventBridge and Scheduler, and
 * a metric of the fleet runs that is missing is an alarm too.
 */
export class Alarms extends Construct {
  /** The alarms that are not switched off. */
  readonly alarms: Readonly<Partial<Record<AlarmId, AlarmBase>>>;
  private readonly props: AlarmsProps;
  /** Fleet runs begin up to an hour late. With this period each evaluation sees a value of the last run. */
  private readonly period: Duration;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.props = props;
    this.period = Duration.seconds(Math.min(props.interval.toSeconds() + hour.toSeconds(), day.toSeconds()));
    const made = (
      Object.entries(this.evaluations()) as [Exclude<AlarmId, 'needsAttention'>, () => Evaluation][]
    ).flatMap(([key, evaluation]) =>
      props.alarms[key] === false ? [] : [[key, this.alarm(key, evaluation())] as const],
    );
    const alarms = made.map(([, alarm]) => alarm);
    const composite = props.alarms.needsAttention !== false && alarms.length > 0 && this.composite(alarms);
    this.alarms = { ...Object.fromEntries(made), ...(composite && { needsAttention: composite }) };
  }

  /** Returns how each alarm evaluates. They are functions, so that an alarm that is switched off creates no metric filter. */
  private evaluations(): Readonly<Record<Exclude<AlarmId, 'needsAttention'>, () => Evaluation>> {
    const { metrics, workflows, functions } = this.props;
    const { period } = this;
    const { fleet, renewal, accounts } = workflows;
    // A run that has not reported yet changes nothing, and the alarm keeps its state.
    const gauge = (metric: Metric, threshold = 1): Evaluation => ({ metric, threshold, missing: IGNORE });
    const sum = (all: readonly Metric[], over = period): Evaluation => ({
      metric: sumOf(all, over),
      threshold: 1,
      missing: NOT_BREACHING,
    });
    const aDay = Math.ceil(day.toSeconds() / period.toSeconds());
    const anHour = { periods: 6, over: Duration.minutes(10) };
    return {
      fleetDoesNotRun: () => this.fleetDoesNotRun(),
      fleetFails: () => sum([...ends(fleet.stateMachine), fleet.stateMachine.metricThrottled()]),
      renewalsFail: () =>
        sum([...ends(renewal.stateMachine), ...ends(accounts.stateMachine), metrics.metricFailingForADay()]),
      lifetimeRunsOut: () => ({
        ...gauge(metrics.metricLeastLifetimeLeft({ period }), 20),
        comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      }),
      leaseTooOld: () => ({
        ...gauge(metrics.metricOldestLease({ period }), 3),
        comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      }),
      renewalsPostponed: () => ({ ...gauge(metrics.metricPostponed({ period })), periods: aDay }),
      notServed: () => gauge(metrics.metricNotServed({ period })),
      // Each certificate is compared once a day.
      changedOutside: () => sum([metrics.metricChangedOutside(), metrics.metricNotCompared()], day),
      // A run starts the removal, so the least value of a period is what could not be removed.
      txtValuesNotRemoved: () => ({
        ...gauge(metrics.metricLeftoverTxtValues({ period, statistic: 'Minimum' })),
        periods: aDay,
      }),
      // A step that is retried is an error of its function too, so single errors are not counted.
      functionErrors: () => ({
        ...sum(
          functions.map((each) => each.function.metricErrors()),
          anHour.over,
        ),
        periods: anHour.periods,
      }),
      functionThrottles: () => ({
        ...sum(
          functions.map((each) => each.function.metricThrottles()),
          anHour.over,
        ),
        periods: anHour.periods,
      }),
      functionDuration: () => ({ metric: longestCall(functions, period), threshold: 90, missing: NOT_BREACHING }),
      functionMemory: () => ({
        metric: highMemoryCalls(this, metrics.deploymentName, functions, this.thresholdOf('functionMemory', 80)).with({
          period,
        }),
        threshold: 1,
        missing: NOT_BREACHING,
      }),
      plumbing: () => this.plumbing(),
    };
  }

  /** Counts whole hours without a value. The fleet run of the first deployment gives the first value, so the alarm is quiet until then. */
  private fleetDoesNotRun(): Evaluation {
    const hours = Math.ceil((2 * this.props.interval.toSeconds() + hour.toSeconds()) / hour.toSeconds());
    return {
      metric: this.props.metrics.metricCompletedRuns({ period: hour }),
      threshold: hours,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: BREACHING,
    };
  }

  private plumbing(): Evaluation {
    const { metrics, workflows, scheduleGroups, rules, deadLetters } = this.props;
    const logGroups = Object.values(workflows).map(({ logGroup }) => logGroup);
    const all = [
      ...scheduleGroups.flatMap((group) => [group.metricTargetErrors(), group.metricDropped()]),
      ...rules.map(failedInvocations),
      ...deadLetters.map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
    ];
    const refused = refusedEvents(this, metrics.deploymentName, logGroups);
    return {
      metric: expressionOf([...all, refused], this.period, (ids) =>
        // An event is refused four times before its state gives up.
        ids.map((each, index) => (index === all.length ? `FLOOR(${each} / 4)` : each)).join(' + '),
      ),
      threshold: 1,
      missing: NOT_BREACHING,
    };
  }

  private alarm(
    key: Exclude<AlarmId, 'needsAttention'>,
    { metric, comparison, missing, ...evaluation }: Evaluation,
  ): Alarm {
    const set = this.thresholdOf(key, evaluation.threshold);
    const isHours = key === 'fleetDoesNotRun';
    const evaluationPeriods = isHours ? set : (evaluation.periods ?? 1);
    const alarm = new Alarm(this, upperFirst(key), {
      ...this.text(key),
      metric,
      threshold: thresholdIn(key, set),
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods,
      treatMissingData: missing,
    });
    if (isHours)
      (alarm.node.defaultChild as CfnAlarm).warmUpConfiguration = {
        warmUpPeriodDurationInMinutes: 60 * Math.min(set, longestWarmUp),
      };
    if (this.props.topic) alarm.addAlarmAction(new SnsAction(this.props.topic));
    return alarm;
  }

  /** Without an action, because every alarm has its own. */
  private composite(alarms: readonly Alarm[]): CompositeAlarm {
    const { alarmName, alarmDescription } = this.text('needsAttention');
    return new CompositeAlarm(this, 'NeedsAttention', {
      compositeAlarmName: alarmName,
      alarmDescription,
      alarmRule: AlarmRule.anyOf(...alarms.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
  }

  private text(key: AlarmId): { readonly alarmName: string; readonly alarmDescription: string } {
    const { name, wrong, remedy } = alarmTexts[key];
    const { metrics, nameSuffix } = this.props;
    return {
      alarmName: `${name}${nameSuffix}`,
      alarmDescription: `${wrong} ${remedy} The deployment is ${metrics.deploymentName}. See the section "${name}" in RUNBOOK.md.`,
    };
  }

  private thresholdOf(key: AlarmId, byDefault: number): number {
    return this.props.alarms[key] || byDefault;
  }
}

/** Returns the threshold of the metric for the threshold of the configuration. */
function thresholdIn(key: AlarmId, set: number): number {
  // The configuration has hours, the metric has seconds.
  if (key === 'leaseTooOld') return set * hour.toSeconds();
  // The configuration has the hours without a run, or the part of the memory. The metric counts.
  return key === 'fleetDoesNotRun' || key === 'functionMemory' ? 1 : set;
}

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
