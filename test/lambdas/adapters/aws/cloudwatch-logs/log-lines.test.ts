import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createLogLines } from '../../../../../lambdas/adapters/aws/cloudwatch-logs/log-lines.ts';
import { awsError } from '../aws-error.ts';

const sdk = mockClient(CloudWatchLogsClient);
const since = new Date('2026-03-01T00:00:00Z');
const find = () =>
  createLogLines({}, new CloudWatchLogsClient({ region: 'us-east-1' })).find('group', '{ $.a = 1 }', since);

beforeEach(() => {
  sdk.reset();
});

describe('lines of a log group', () => {
  test('come from all pages, also after an empty one', async () => {
    const event = (message: string) => ({ timestamp: since.getTime(), message: `${message}\n` });
    sdk
      .on(FilterLogEventsCommand)
      .resolvesOnce({ events: [event('one')], nextToken: '1' })
      .resolvesOnce({ events: [], nextToken: '2' })
      .resolvesOnce({ events: [event('two')] });
    const { lines, incomplete } = await find();
    expect(lines.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(lines[0]).toEqual({ at: '2026-03-01T00:00:00.000Z', logGroup: 'group', text: 'one' });
    expect(incomplete).toBe(false);
    expect(sdk).toHaveReceivedNthCommandWith(FilterLogEventsCommand, 3, {
      logGroupName: 'group',
      filterPattern: '{ $.a = 1 }',
      startTime: since.getTime(),
      nextToken: '2',
    });
  });

  test('are incomplete after 50 pages', async () => {
    sdk.on(FilterLogEventsCommand).resolves({ events: [], nextToken: 'again' });
    expect(await find()).toEqual({ lines: [], incomplete: true });
    expect(sdk).toHaveReceivedCommandTimes(FilterLogEventsCommand, 50);
  });

  test('are complete after a page with an empty token', async () => {
    sdk.on(FilterLogEventsCommand).resolves({ events: [], nextToken: '' });
    expect(await find()).toEqual({ lines: [], incomplete: false });
    expect(sdk).toHaveReceivedCommandTimes(FilterLogEventsCommand, 1);
  });

  test('are none if the log group does not exist', async () => {
    sdk.on(FilterLogEventsCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await find()).toEqual({ lines: [], incomplete: false });
  });

  test('that may not be read are an error with the action', async () => {
    sdk.on(FilterLogEventsCommand).rejects(awsError('AccessDeniedException'));
    await expect(find()).rejects.toMatchObject({
      name: 'AccessDeniedError',
      fields: { action: 'logs:FilterLogEvents' },
    });
  });
});
