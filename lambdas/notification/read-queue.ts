import { type NotificationInput, parseQueueBody, type QueueContent } from '../domain/contract/notification.ts';
import type { StepLog } from '../domain/ports/runtime.ts';

/** A message as Lambda gets it from SQS. */
export interface QueueRecord {
  readonly messageId: string;
  readonly body: string;
}

/**
 * Parses the messages of a batch. The ids of other messages than events of Perennial and messages of schedules are in `unreadable`, so that those
 * get into the dead-letter queue.
 */
export function readQueue(
  records: readonly QueueRecord[],
  log: StepLog,
): NotificationInput & { readonly unreadable: readonly string[] } {
  const unreadable: string[] = [];
  const contents = records.flatMap(({ messageId, body }): QueueContent[] => {
    try {
      return [parseQueueBody(body)];
    } catch (error) {
      log.error('A message cannot be read.', { message: messageId, error });
      unreadable.push(messageId);
      return [];
    }
  });
  return {
    schedules: contents.flatMap((content) => ('schedule' in content ? [content.schedule] : [])),
    requests: contents.flatMap((content) => ('request' in content ? [content.request] : [])),
    events: contents.flatMap((content) => ('event' in content ? [content.event] : [])),
    unreadable,
  };
}
