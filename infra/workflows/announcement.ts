import { Duration } from 'aws-cdk-lib';
import { TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { EventBridgePutEvents } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { eventSource } from '../../lambdas/domain/contract/events.ts';
import { publishFailed } from './retry-policies.ts';

/**
 * Returns a state that publishes an event on the default event bus. After three failed retries the state fails. The caller catches that and
 * continues without the event.
 */
export function announce(
  scope: Construct,
  name: string,
  detailType: string,
  detail: Readonly<Record<string, string>>,
): EventBridgePutEvents {
  const state = EventBridgePutEvents.jsonata(scope, name, {
    entries: [{ source: eventSource, detailType, detail: TaskInput.fromObject(detail) }],
    taskTimeout: Timeout.duration(Duration.seconds(10)),
  });
  state.addRetry(publishFailed);
  return state;
}
