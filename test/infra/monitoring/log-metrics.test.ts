import { describe, expect, test } from 'vitest';
import { ofType, smallConfig, synthesize } from '../synthesized.ts';

const whole = synthesize({ ...smallConfig, notifications: { email: ['ops@example.com'] } });

/** Returns whether a line matches a filter pattern for JSON. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
function matches(pattern: string, line: object): boolean {
  const code = pattern
    .slice(1, -1)
    .replaceAll(/\$((?:\.\w+)+)/g, (_, path: string) => `line${path.replaceAll('.', '?.')}`)
    .replaceAll(' = ', ' === ');
  return new Function('line', `return ${code}`)(line) as boolean;
}

describe('a metric filter', () => {
  const filters = ofType(whole.resources, 'AWS::Logs::MetricFilter').map(([, { Properties }]) => {
    const { FilterPattern, MetricTransformations } = Properties as {
      readonly FilterPattern: string;
      readonly MetricTransformations: readonly Readonly<Record<string, string>>[];
    };
    return { pattern: FilterPattern, ...MetricTransformations[0] } as Readonly<Record<string, string>>;
  });
  const watched = ofType(whole.resources, 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
    ((Properties.Metrics ?? []) as readonly { readonly MetricStat?: { readonly Metric: object } }[]).flatMap(
      ({ MetricStat }) => MetricStat?.Metric ?? [],
    ),
  );
  const patternsOf = (metric: string) =>
    filters.filter(({ MetricName }) => MetricName === metric).map(({ pattern = '' }) => pattern);

  test('counts under the metric that its alarm watches', () => {
    for (const { MetricName, MetricNamespace, MetricValue } of filters) {
      expect(MetricNamespace).toBe('Perennial/Perennial-Certificates-0A085F0A');
      expect(MetricValue).toBe('1');
      expect(watched).toContainEqual({ MetricName, Namespace: MetricNamespace });
    }
  });

  test('counts calls that use more than 80 % of the memory', () => {
    // The line of Lambda, as the Telemetry API documents it.
    const report = (maxMemoryUsedMB: number) => ({
      time: '2026-03-02T00:00:00.000Z',
      type: 'platform.report',
      record: {
        requestId: '6d68ca91-49c9-448d-89b8-7ca3e6dc66aa',
        metrics: {
          durationMs: 127.2,
          billedDurationMs: 128,
          memorySizeMB: 512,
          maxMemoryUsedMB,
          initDurationMs: 200.1,
        },
        status: 'success',
      },
    });
    const [fleet = '', check = ''] = patternsOf('HighMemoryCalls');
    expect(patternsOf('HighMemoryCalls')).toHaveLength(9);
    expect([409, 410].map((used) => matches(check, report(used)))).toEqual([false, true]);
    expect([819, 820].map((used) => matches(fleet, report(used)))).toEqual([false, true]);
    expect(matches(check, { level: 'INFO', message: 'done', milliseconds: 12 })).toBe(false);
  });

  test('counts events that EventBridge has refused, in the logs of all workflows', () => {
    // The line of Step Functions without execution data.
    const line = (type: string, resource: string, resourceType: string) => ({
      id: '42',
      type,
      details: { resource, resourceType },
      previous_event_id: '41',
      event_timestamp: '1772409600000',
      execution_arn: 'arn:aws:states:eu-central-1:123456789012:execution:Perennial-renewal:1',
    });
    const patterns = patternsOf('RefusedEvents');
    expect(patterns).toHaveLength(3);
    for (const pattern of patterns) {
      expect(matches(pattern, line('TaskFailed', 'putEvents', 'events'))).toBe(true);
      expect(matches(pattern, line('TaskTimedOut', 'putEvents', 'events'))).toBe(true);
      expect(matches(pattern, line('TaskSucceeded', 'putEvents', 'events'))).toBe(false);
      expect(matches(pattern, line('TaskFailed', 'invoke', 'lambda'))).toBe(false);
    }
  });
});
