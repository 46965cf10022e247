import type { NotificationMessage } from '../contract/notification.ts';

/** The SNS topic of operators. */
export interface Topic {
  publish(message: NotificationMessage): Promise<void>;
}
