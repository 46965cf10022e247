import {
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { LogLine, LogLines } from '../../../domain/ports/log-lines.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

/** Pages of one log group. A page covers at most 1 MB of the searched log, so 50 pages are 50 MB. */
const mostPages = 50;

/** Searches log groups with the operator's region and credentials. */
export function createLogLines(
  settings: Pick<CloudWatchLogsClientConfig, 'region' | 'profile'>,
  client: CloudWatchLogsClient = new CloudWatchLogsClient({ ...clientSettings, ...settings }),
): LogLines {
  return {
    async find(logGroup, pattern, since) {
      const lines: LogLine[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'logs:FilterLogEvents', resource: `log group ${logGroup}` },
          client.send(
            new FilterLogEventsCommand({
              logGroupName: logGroup,
              filterPattern: pattern,
              startTime: since.getTime(),
              ...(nextToken && { nextToken }),
            }),
          ),
          // The first execution of a workflow or a function creates some groups.
          { ResourceNotFoundException: () => ({ events: [], nextToken: undefined }) },
        );
        for (const { timestamp = 0, message = '' } of reply.events ?? [])
          lines.push({ at: new Date(timestamp).toISOString(), logGroup, text: message.trimEnd() });
        nextToken = reply.nextToken;
        if (!nextToken) break;
      }
      return { lines, incomplete: Boolean(nextToken) };
    },
  };
}
