import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type IFilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/contract/metrics.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';

/**
 * Counts lines of several log groups in one metric. Only a line that matches costs a metric. The namespace names the deployment, because the
 * dimensions of a metric filter are fields of the log line.
 */
function lineCount(
  scope: Construct,
  metricName: string,
  deploymentName: string,
  patterns: readonly (readonly [ILogGroup, IFilterPattern])[],
): Metric {
  const metricNamespaceOfDeployment = `${metricNamespace}/${deploymentName}`;
  for (const [index, [logGroup, filterPattern]] of patterns.entries())
    new MetricFilter(scope, `${metricName}${index}`, {
      logGroup,
      filterPattern,
      metricName,
      metricNamespace: metricNamespaceOfDeployment,
      metricValue: '1',
    });
  return new Metric({ namespace: metricNamespaceOfDeployment, metricName, statistic: 'Sum' });
}

/**
 * Returns the number of calls that used more than this part of their function's memory. Lambda writes a line `platform.report` for each call.
 * https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
 */
export function highMemoryCalls(
  scope: Construct,
  deploymentName: string,
  functions: readonly WorkflowFunction[],
  percent: number,
): Metric {
  const patterns = functions.map(({ logGroup, memory }) => {
    const megabytes = Math.floor((memory * percent) / 100);
    const pattern = `{ $.type = "platform.report" && $.record.metrics.maxMemoryUsedMB > ${megabytes} }`;
    return [logGroup, FilterPattern.literal(pattern)] as const;
  });
  return lineCount(scope, 'HighMemoryCalls', deploymentName, patterns);
}

/**
 * Returns the number of attempts to publish an event that EventBridge has refused. A state makes four of them before it gives up (`publishFailed`).
 * https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
 */
export function refusedEvents(scope: Construct, deploymentName: string, logGroups: readonly ILogGroup[]): Metric {
  const pattern = '{ ($.type = "TaskFailed" || $.type = "TaskTimedOut") && $.details.resource = "putEvents" }';
  const patterns = logGroups.map((logGroup) => [logGroup, FilterPattern.literal(pattern)] as const);
  return lineCount(scope, 'RefusedEvents', deploymentName, patterns);
}
