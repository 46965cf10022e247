import { Duration } from 'aws-cdk-lib';
import { TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { EventBridgePutEvents } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { eventSource } from '../../lambdas/domain/contract/events.ts';
import { announcement } from './retry-policies.ts';

/** An event that others may wait for. If it cannot be told it is passed over. */
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
  state.addRetry(announcement);
  return state;
}
