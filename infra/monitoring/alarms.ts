import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmBase,
  AlarmRule,
  AlarmState,
  type CfnAlarm,
  ComparisonOperator,
  CompositeAlarm,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { CheckedMonitoring } from '../config/monitoring.ts';
import { outermostStack } from '../resources/stack-tag.ts';
import { alarmEvaluations, type Evaluation, type WatchedParts } from './alarm-evaluations.ts';
import { type AlarmId, alarmTexts } from './alarm-list.ts';

export interface AlarmsProps extends CheckedMonitoring, WatchedParts {
  /** Suffix of the names of the alarms, or an empty text. */
  readonly nameSuffix: string;
  /** Topic that the alarms publish to. @default none: the alarms have no action */
  readonly topic?: ITopic | undefined;
}

/**
 * The alarms of a deployment. None of them depends on the part that it watches. CloudWatch has the metrics of Step Functions, Lambda, EventBridge and
 * Scheduler, and a metric of the fleet runs that is missing is an alarm too.
 */
export class Alarms extends Construct {
  /** The alarms that are not switched off. */
  readonly alarms: Readonly<Partial<Record<AlarmId, AlarmBase>>>;
  private readonly props: AlarmsProps;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.props = props;
    const evaluations = alarmEvaluations(this, props);
    const made = (Object.keys(evaluations) as (keyof typeof evaluations)[]).flatMap((key) => {
      const threshold = props.alarms[key];
      return threshold === false ? [] : [[key, this.alarm(key, evaluations[key](threshold))] as const];
    });
    const alarms = made.map(([, alarm]) => alarm);
    const composite = props.alarms.needsAttention !== false && alarms.length > 0 && this.composite(alarms);
    this.alarms = { ...Object.fromEntries(made), ...(composite && { needsAttention: composite }) };
  }

  private alarm(key: AlarmId, { metric, threshold, comparison, periods, missing, warmUpHours }: Evaluation): Alarm {
    const alarm = new Alarm(this, upperFirst(key), {
      ...this.text(key),
      metric,
      threshold,
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods ?? 1,
      treatMissingData: missing,
    });
    if (warmUpHours)
      (alarm.node.defaultChild as CfnAlarm).warmUpConfiguration = { warmUpPeriodDurationInMinutes: 60 * warmUpHours };
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
    const options = `--stack ${outermostStack(this).stackName} --region ${Stack.of(this).region}`;
    const runnable = remedy.replaceAll(/"npx cdk-perennial [^"]+(?=")/g, (command) => `${command} ${options}`);
    return {
      alarmName: `${name}${nameSuffix}`,
      alarmDescription: `${wrong} ${runnable} The deployment is ${metrics.deploymentName}. See the section "${name}" in RUNBOOK.md.`,
    };
  }
}

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
