import { Duration } from 'aws-cdk-lib';
import { QueryLanguage, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { EventBridgePutEvents, type EventBridgePutEventsProps } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { eventSource } from '../../lambdas/domain/contract/events.ts';
import { publishFailed } from './retry-policies.ts';

/**
 * A state whose role may publish only events with the source and the detail type of its one entry. Both condition keys may have several values,
 * and `Null` denies a request without them.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
 */
class Announcement extends EventBridgePutEvents {
  constructor(scope: Construct, name: string, props: EventBridgePutEventsProps) {
    super(scope, name, props);
    const [entry] = props.entries;
    for (const policy of this.taskPolicies ?? [])
      policy.addConditions({
        'ForAllValues:StringEquals': { 'events:source': entry?.source, 'events:detail-type': entry?.detailType },
        Null: { 'events:source': 'false', 'events:detail-type': 'false' },
      });
  }
}

/**
 * Returns a state that publishes an event on the default event bus. After three failed retries the state fails. The caller catches that and
 * continues without the event.
 *
 * @param assign variables to set after the event was published
 */
export function announce(
  scope: Construct,
  name: string,
  detailType: string,
  detail: Readonly<Record<string, string>>,
  assign?: Readonly<Record<string, unknown>>,
): EventBridgePutEvents {
  const state = new Announcement(scope, name, {
    queryLanguage: QueryLanguage.JSONATA,
    entries: [{ source: eventSource, detailType, detail: TaskInput.fromObject(detail) }],
    ...(assign && { assign }),
    taskTimeout: Timeout.duration(Duration.seconds(10)),
  });
  state.addRetry(publishFailed);
  return state;
}
