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

/** Returns the longest call of all functions, in percent of the timeout of its function. */
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

/** Returns an expression over metrics. A metric without a value counts as 0, because otherwise the whole expression would have no value. */
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
