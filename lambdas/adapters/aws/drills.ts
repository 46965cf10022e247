import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { UnexpectedError } from '../../domain/contract/errors.ts';
import { detailTypes, eventSource } from '../../domain/contract/events.ts';
import type { Drills } from '../../domain/ports/drills.ts';
import { clientSettings } from './client.ts';
import { replyOf } from './translate-errors.ts';

/** All alarms of Perennial begin with this. There are at most sixteen in a deployment, and a page has 100. */
const prefix = 'Perennial ';

/** Sends test messages with the operator's region and credentials. */
export function createDrills(operator: { readonly region?: string; readonly profile?: string }): Drills {
  const settings = { ...clientSettings, ...operator };
  const cloudWatch = new CloudWatchClient(settings);
  return {
    async alarmsOf(topic) {
      const { MetricAlarms = [] } = await replyOf(
        { action: 'cloudwatch:DescribeAlarms', resource: 'alarms' },
        cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix, AlarmTypes: ['MetricAlarm'] })),
      );
      return MetricAlarms.flatMap(({ AlarmName, AlarmActions }) =>
        AlarmName && AlarmActions?.includes(topic) ? [AlarmName] : [],
      );
    },

    async setAlarm(name, reason) {
      await replyOf(
        { action: 'cloudwatch:SetAlarmState', resource: `alarm ${name}` },
        cloudWatch.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: 'ALARM', StateReason: reason })),
      );
    },

    async publish(detail) {
      const entry = {
        Source: eventSource,
        DetailType: detailTypes.accountRequestFailed,
        Detail: JSON.stringify(detail),
      };
      const { Entries = [] } = await replyOf(
        { action: 'events:PutEvents', resource: 'the default event bus' },
        new EventBridgeClient(settings).send(new PutEventsCommand({ Entries: [entry] })),
      );
      // PutEvents answers with success although it has refused an entry.
      const { ErrorCode, ErrorMessage } = Entries[0] ?? {};
      if (ErrorCode)
        throw new UnexpectedError({ what: 'EventBridge refused the event.', why: `${ErrorCode}: ${ErrorMessage}` });
    },
  };
}
