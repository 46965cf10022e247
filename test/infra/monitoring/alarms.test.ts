import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { alarmTexts } from '../../../infra/monitoring/alarm-list.ts';
import { ofType, resolve, type Synthesized, smallConfig, synthesize } from '../synthesized.ts';

interface WatchedMetric {
  readonly MetricName: string;
  readonly Namespace: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

interface MetricStat {
  readonly Metric: WatchedMetric;
  readonly Period: number;
  readonly Stat: string;
}

interface AlarmProperties extends WatchedMetric {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions?: readonly string[];
  readonly Metrics?: readonly { readonly Id: string; readonly Expression?: string; readonly MetricStat?: MetricStat }[];
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly Threshold: number;
  readonly ComparisonOperator: keyof typeof comparisons;
  readonly TreatMissingData: 'breaching' | 'notBreaching' | 'ignore';
  readonly WarmUpConfiguration?: object;
}

const comparisons = {
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
};

type Props = Partial<typeof smallConfig>;
const email = { notifications: { email: ['ops@example.com'] } };
const built = (props: Props = {}) => synthesize({ ...smallConfig, ...props });
const whole = built(email);

const alarmsOf = ({ resources }: Synthesized): ReadonlyMap<string, AlarmProperties> =>
  new Map(
    ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => {
      const alarm = resolve(Properties, resources) as AlarmProperties;
      return [alarm.AlarmName, alarm];
    }),
  );

function alarmNamed(name: string, stack = whole): AlarmProperties {
  const alarm = alarmsOf(stack).get(name);
  if (!alarm) throw new Error(`There is no alarm ${name}`);
  return alarm;
}

const statsOf = ({ Metrics = [] }: AlarmProperties): readonly MetricStat[] =>
  Metrics.flatMap(({ MetricStat }) => MetricStat ?? []);

/** Returns the value of an alarm's metric or expression in one period, or `undefined` without data, as CloudWatch computes it. */
function computed(alarm: AlarmProperties, values: Readonly<Record<string, number>>): number | undefined {
  const expression = alarm.Metrics?.find(({ Expression }) => Expression)?.Expression;
  if (expression === undefined) return values[alarm.MetricName];
  const code = expression
    .replaceAll(/FILL\((m\d+), 0\)/g, (_, id: string) => {
      const stat = alarm.Metrics?.find(({ Id }) => Id === id)?.MetricStat;
      return String(values[stat?.Metric.MetricName ?? ''] ?? 0);
    })
    .replaceAll(/MAX\(\[(.*)\]\)/g, 'Math.max($1)')
    .replaceAll('FLOOR', 'Math.floor');
  return new Function(`return ${code}`)() as number;
}

/** Returns whether the alarm goes off if every period has these values. */
function goesOff(alarm: AlarmProperties, values: Readonly<Record<string, number>>): boolean {
  const value = computed(alarm, values);
  if (value === undefined) return alarm.TreatMissingData === 'breaching';
  return comparisons[alarm.ComparisonOperator](value, alarm.Threshold);
}

describe('an alarm', () => {
  test.each<[name: string, off: Readonly<Record<string, number>>, quiet: Readonly<Record<string, number>>]>([
    ['Perennial fleet does not run', {}, { Selections: 1 }],
    ['Perennial fleet fails', { ExecutionsFailed: 1 }, { FailingForADay: 1 }],
    ['Perennial fleet fails', { ExecutionsTimedOut: 1 }, {}],
    ['Perennial fleet fails', { ExecutionsAborted: 1 }, {}],
    ['Perennial fleet fails', { ExecutionThrottled: 1 }, {}],
    ['Perennial renewals fail', { ExecutionsFailed: 1 }, { Failing: 1 }],
    ['Perennial renewals fail', { ExecutionsTimedOut: 1 }, {}],
    ['Perennial renewals fail', { ExecutionsAborted: 1 }, {}],
    ['Perennial renewals fail', { FailingForADay: 1 }, { FailingForADay: 0 }],
    ['Perennial lifetime runs out', { LeastLifetimeLeft: 19.9 }, { LeastLifetimeLeft: 20 }],
    ['Perennial lifetime runs out', { LeastLifetimeLeft: 0 }, {}],
    ['Perennial lease too old', { OldestLease: 10_801 }, { OldestLease: 10_800 }],
    ['Perennial renewals postponed', { Postponed: 1 }, { Postponed: 0 }],
    ['Perennial not served', { NotServed: 1 }, { NotServed: 0 }],
    ['Perennial changed outside', { ChangedOutside: 1 }, { ChangedOutside: 0, NotCompared: 0 }],
    ['Perennial changed outside', { NotCompared: 1 }, {}],
    ['Perennial TXT values not removed', { LeftoverTxtValues: 1 }, { LeftoverTxtValues: 0 }],
    ['Perennial function errors', { Errors: 1 }, { Throttles: 1 }],
    ['Perennial function throttles', { Throttles: 1 }, { Errors: 1 }],
    // 90 % and less of 60 s, the shortest timeout.
    ['Perennial function duration', { Duration: 54_000 }, { Duration: 53_900 }],
    ['Perennial function memory', { HighMemoryCalls: 1 }, {}],
    ['Perennial plumbing', { TargetErrorCount: 1 }, {}],
    ['Perennial plumbing', { InvocationDroppedCount: 1 }, {}],
    ['Perennial plumbing', { FailedInvocations: 1 }, {}],
    ['Perennial plumbing', { ApproximateNumberOfMessagesVisible: 1 }, {}],
    // A state gives up after four refusals.
    ['Perennial plumbing', { RefusedEvents: 4 }, { RefusedEvents: 3 }],
  ])('"%s" goes off with %j', (name, off, quiet) => {
    const alarm = alarmNamed(name);
    expect([goesOff(alarm, off), goesOff(alarm, quiet)]).toEqual([true, false]);
  });

  test('publishes to the topic of the notifications, and has no action without one', () => {
    const [[topic] = []] = ofType(whole.resources, 'AWS::SNS::Topic');
    const actions = [resolve({ Ref: topic }, whole.resources)];
    for (const { AlarmActions } of alarmsOf(whole).values()) expect(AlarmActions).toEqual(actions);
    for (const alarm of alarmsOf(synthesize()).values()) expect(alarm).not.toHaveProperty('AlarmActions');
  });

  test('has at most ten metrics, with one period', () => {
    for (const alarm of alarmsOf(whole).values()) {
      const stats = statsOf(alarm);
      expect(stats.length, alarm.AlarmName).toBeLessThanOrEqual(10);
      expect(new Set(stats.map(({ Period }) => Period)).size, alarm.AlarmName).toBeLessThanOrEqual(1);
    }
  });

  test('evaluates at most a week, at every schedule that is accepted', () => {
    for (const schedule of [Duration.minutes(1), Duration.hours(5), Duration.hours(23), Duration.days(3)])
      for (const alarm of alarmsOf(built({ schedule })).values()) {
        const period = statsOf(alarm)[0]?.Period ?? alarm.Period;
        const seconds = period * alarm.EvaluationPeriods;
        expect(seconds, alarm.AlarmName).toBeLessThanOrEqual(period >= 3600 ? 604_800 : 86_400);
      }
  });

  test('says what is wrong, what to do and which section of the runbook to read, in what CloudWatch accepts', () => {
    for (const { AlarmName, AlarmDescription } of alarmsOf(whole).values()) {
      const { wrong, remedy = '' } = Object.values(alarmTexts).find(({ name }) => name === AlarmName) ?? {};
      // Each command finds this deployment, whatever region the operator has set.
      const command = (name: string) => `"npx cdk-perennial ${name} --stack Perennial --region eu-central-1"`;
      const runnable = remedy.replace(/"npx cdk-perennial ([^"]+)"/, (_, name: string) => command(name));
      expect(AlarmDescription).toBe(
        `${wrong} ${runnable} The deployment is Perennial-Certificates-0A085F0A. See the section "${AlarmName}" in RUNBOOK.md.`,
      );
      expect(AlarmDescription.length).toBeLessThan(1024);
    }
  });
});

/**
 * The metrics that AWS publishes for the resources of a type, and the name of their only dimension.
 * https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
const documented: Readonly<
  Record<string, { type: string; dimension: string; metrics: Readonly<Record<string, string>> }>
> = {
  'AWS/States': {
    type: 'AWS::StepFunctions::StateMachine',
    dimension: 'StateMachineArn',
    metrics: {
      ExecutionsFailed: 'Sum',
      ExecutionsTimedOut: 'Sum',
      ExecutionsAborted: 'Sum',
      ExecutionThrottled: 'Sum',
    },
  },
  'AWS/Lambda': {
    type: 'AWS::Lambda::Function',
    dimension: 'FunctionName',
    metrics: { Errors: 'Sum', Throttles: 'Sum', Duration: 'Maximum' },
  },
  'AWS/Events': { type: 'AWS::Events::Rule', dimension: 'RuleName', metrics: { FailedInvocations: 'Sum' } },
  'AWS/Scheduler': {
    type: 'AWS::Scheduler::ScheduleGroup',
    dimension: 'ScheduleGroup',
    metrics: { TargetErrorCount: 'Sum', InvocationDroppedCount: 'Sum' },
  },
  'AWS/SQS': {
    type: 'AWS::SQS::Queue',
    dimension: 'QueueName',
    metrics: { ApproximateNumberOfMessagesVisible: 'Maximum' },
  },
};

test('every metric of AWS that an alarm watches is one that AWS publishes, of a resource of the stack', () => {
  const alarms = ofType(whole.resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const stats = alarms.flatMap((alarm) => statsOf(alarm as unknown as AlarmProperties));
  const ofAws = stats.filter(({ Metric }) => Metric.Namespace.startsWith('AWS/'));
  for (const { Metric, Stat } of ofAws) {
    const { type = '', dimension, metrics } = documented[Metric.Namespace] ?? {};
    expect(Stat, Metric.MetricName).toBe(metrics?.[Metric.MetricName]);
    const [{ Name = '', Value } = {}, ...others] = Metric.Dimensions ?? [];
    expect([Name, ...others]).toEqual([dimension]);
    const named = ofType(whole.resources, type).filter(
      ([id, { Properties }]) =>
        [{ Ref: id }, { 'Fn::GetAtt': [id, Name] }].some((each) => isDeepStrictEqual(each, Value)) ||
        Properties.Name === Value,
    );
    expect(named, `${Metric.MetricName} of ${JSON.stringify(Value)}`).toHaveLength(1);
    // The metrics of a rule of another event bus have the dimension EventBusName too.
    expect(named[0]?.[1].Properties).not.toHaveProperty('EventBusName');
  }
  expect(ofAws).toHaveLength(4 + 6 + 3 * 9 + 2 * 2 + 2 + 1);
});

describe('"Perennial fleet does not run"', () => {
  test.each([
    [Duration.hours(6), 13, 780],
    [Duration.minutes(10), 2, 120],
    [Duration.days(3), 145, 2880],
  ])(
    'waits two intervals of %s and an hour, and is quiet as long after the first deployment, two days at most',
    (schedule, hours, minutes) => {
      expect(alarmNamed('Perennial fleet does not run', built({ schedule }))).toMatchObject({
        Period: 3600,
        EvaluationPeriods: hours,
        TreatMissingData: 'breaching',
        WarmUpConfiguration: { WarmUpPeriodDurationInMinutes: minutes },
      });
    },
  );
});

describe('alarms on what lasts', () => {
  test.each([10, 360, 720, 1440, 4320])(
    'go off after a day with runs every %i minutes, and not with the first run',
    (minutes) => {
      const schedule = Duration.minutes(minutes);
      for (const name of ['Perennial renewals postponed', 'Perennial TXT values not removed']) {
        const { Period, EvaluationPeriods } = alarmNamed(name, built({ schedule }));
        // The run before the first bad one is outside of the evaluated periods.
        const sinceFirst = (periods: number) => Period * periods - schedule.toSeconds();
        expect(sinceFirst(EvaluationPeriods), name).toBeGreaterThanOrEqual(86_400);
        expect(sinceFirst(EvaluationPeriods - 1), name).toBeLessThan(86_400);
      }
    },
  );

  test.each(['Perennial function errors', 'Perennial function throttles'])('"%s" goes off after an hour', (name) => {
    const alarm = alarmNamed(name);
    expect(alarm.EvaluationPeriods * (statsOf(alarm)[0]?.Period ?? 0)).toBe(3600);
  });
});

test('the composite alarm goes off with each other alarm, and has no action', () => {
  const [[, composite] = []] = ofType(whole.resources, 'AWS::CloudWatch::CompositeAlarm');
  const ids = ofType(whole.resources, 'AWS::CloudWatch::Alarm').map(([id]) => id);
  const { AlarmRule, ...properties } = resolve(composite?.Properties, whole.resources) as Record<string, string>;
  expect(AlarmRule).toBe(`(${ids.map((id) => `ALARM("${id}")`).join(' OR ')})`);
  expect(properties).not.toHaveProperty('AlarmActions');
});

test('there are at most sixteen alarms', () => {
  expect(alarmsOf(whole).size + 1).toBe(Object.keys(alarmTexts).length);
  expect(Object.keys(alarmTexts).length).toBeLessThanOrEqual(16);
});

describe('a setting of monitoring', () => {
  const monitoringTypes = /AWS::CloudWatch::|AWS::Logs::(MetricFilter|QueryDefinition)/;
  const typesOf = ({ resources }: Synthesized) => Object.values(resources).map(({ Type }) => Type);

  test('false creates no alarm, no metric filter and no saved query', () => {
    expect(typesOf(whole).filter((type) => monitoringTypes.test(type))).toHaveLength(14 + 1 + 12 + 5);
    expect(typesOf(built({ monitoring: false })).filter((type) => monitoringTypes.test(type))).toEqual([]);
  });

  test('switches each alarm off', () => {
    const alarms = Object.fromEntries(Object.keys(alarmTexts).map((key) => [key, false]));
    expect(typesOf(built({ monitoring: { alarms } })).filter((type) => /CloudWatch|MetricFilter/.test(type))).toEqual(
      [],
    );
  });

  test('sets each threshold, in the unit of the metric', () => {
    const alarms = { fleetDoesNotRun: 20, lifetimeRunsOut: 10, leaseTooOld: 5, notServed: 7, functionMemory: 50 };
    const stack = built({ monitoring: { alarms } });
    expect(alarmNamed('Perennial fleet does not run', stack)).toMatchObject({ EvaluationPeriods: 20, Threshold: 1 });
    expect(alarmNamed('Perennial lifetime runs out', stack).Threshold).toBe(10);
    expect(alarmNamed('Perennial lease too old', stack).Threshold).toBe(5 * 3600);
    expect(alarmNamed('Perennial not served', stack).Threshold).toBe(7);
    expect(alarmNamed('Perennial function memory', stack).Threshold).toBe(1);
    expect(stack.text).toContain('maxMemoryUsedMB > 256 }');
  });
});

test('alarms of a deployment with another prefix have other names', () => {
  const names = [...alarmsOf(built({ secretPrefix: 'staging/' })).keys()];
  expect(names).toContain('Perennial not served (Perennial-Certificates-0A085F0A)');
  for (const name of names) expect(name).toMatch(/ \(Perennial-Certificates-0A085F0A\)$/);
});

describe('RUNBOOK.md', () => {
  const [, ...sections] = readFileSync('RUNBOOK.md', 'utf8').split(/^## /m);
  const titles = sections.map((section) => section.split('\n')[0]);

  test('has a section for each alarm and no other section, in one order', () => {
    expect(titles).toEqual(Object.values(alarmTexts).map(({ name }) => name));
  });

  test('says at the end of each section how to see that the problem is fixed', () => {
    const without = sections.filter((section) => !/^\*\*Fixed\*\* when |\. \*\*Fixed\*\* when /m.test(section));
    expect(without.map((section) => section.split('\n')[0])).toEqual([]);
  });
});
