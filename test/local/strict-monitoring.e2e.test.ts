import { CloudWatchLogsClient, DescribeQueryDefinitionsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { beforeAll, expect, test } from 'vitest';
import type { LocalEnvironment } from '../../local/environment.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { createStack } from './stack.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await sharedEnvironment();
});

/** Returns an alarm on the sum of metrics with these periods in seconds. */
const alarm = (periods: readonly number[], more: object = {}) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 1,
    EvaluationPeriods: 1,
    Metrics: [
      { Id: 'sum', Expression: periods.map((_, index) => `m${index}`).join(' + '), ReturnData: true },
      ...periods.map((Period, index) => ({
        Id: `m${index}`,
        ReturnData: false,
        MetricStat: { Metric: { Namespace: 'Test', MetricName: `M${index}` }, Period, Stat: 'Sum' },
      })),
    ],
    ...more,
  },
});

const tenMetrics = Array<number>(10).fill(3600);

test('the local AWS stores alarms on metric math and saved queries of a template', async () => {
  const { Whole } = await createStack(local, 'Monitoring', {
    Whole: alarm(tenMetrics, { AlarmName: 'whole', WarmUpConfiguration: { WarmUpPeriodDurationInMinutes: 2880 } }),
    Query: {
      Type: 'AWS::Logs::QueryDefinition',
      Properties: { Name: 'Test/Errors', QueryString: 'filter level = "ERROR"', LogGroupNames: ['a'] },
    },
  });
  expect(Whole).toBe('whole');
  const { queryDefinitions } = await new CloudWatchLogsClient(local.clientConfig).send(
    new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: 'Test/' }),
  );
  expect(queryDefinitions).toMatchObject([
    { name: 'Test/Errors', queryString: 'filter level = "ERROR"', logGroupNames: ['a'] },
  ]);
});

test.each([
  ['more than ten metrics', alarm([...tenMetrics, 3600]), 'at most 10 metrics'],
  ['metrics with different periods', alarm([60, 300]), 'same period'],
  ['more than a week', alarm([3600], { EvaluationPeriods: 169 }), 'seven days'],
  ['a day with short periods', alarm([600], { EvaluationPeriods: 145 }), 'more than a day'],
  ['a long warm-up', alarm([60], { WarmUpConfiguration: { WarmUpPeriodDurationInMinutes: 2881 } }), '1 to 2880'],
  ['a long description', alarm([60], { AlarmDescription: 'x'.repeat(1025) }), '1024 characters'],
])('the local AWS rejects an alarm with %s, as AWS does', async (title, refused, message) => {
  await expect(createStack(local, title.replaceAll(' ', '-'), { Refused: refused })).rejects.toThrow(message);
});
