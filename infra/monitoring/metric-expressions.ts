import type { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRule } from 'aws-cdk-lib/aws-events';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/** Executions that have ended without a success. */
export const ends = (workflow: StateMachine): readonly Metric[] => [
  workflow.metricFailed(),
  workflow.metricTimedOut(),
  workflow.metricAborted(),
];

export const failedInvocations = ({ ruleName }: IRule): Metric =>
  new Metric({
    namespace: 'AWS/Events',
    metricName: 'FailedInvocations',
    dimensionsMap: { RuleName: ruleName },
    statistic: 'Sum',
  });

/**
 * Returns the longest call of all functions, in percent of the timeout of its function. MAX of an array compares the functions in each period. CloudWatch
 * advises against MAX of one metric, which compares all periods that it has read.
 */
export const longestCall = (functions: readonly WorkflowFunction[], period: Duration): MathExpression =>
  expressionOf(
    functions.map((each) => each.function.metricDuration({ statistic: 'Maximum' })),
    period,
    // The metric is in milliseconds.
    (ids) =>
      `MAX([${ids.map((each, index) => `${each} / ${(functions[index]?.timeout.toSeconds() ?? 1) * 10}`).join(', ')}])`,
  );

export const sumOf = (metrics: readonly Metric[], period: Duration): MathExpression =>
  expressionOf(metrics, period, (ids) => ids.join(' + '));

/**
 * Returns an expression over metrics. A metric without a value counts as 0. If a period had no value, CloudWatch would evaluate an earlier one, and the
 * alarm would stay on for longer.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function expressionOf(
  metrics: readonly Metric[],
  period: Duration,
  expression: (ids: readonly string[]) => string,
): MathExpression {
  const ids = metrics.map((_, index) => `m${index}`);
  return new MathExpression({
    expression: expression(ids.map((each) => `FILL(${each}, 0)`)),
    usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric.with({ period })])),
    period,
  });
}
