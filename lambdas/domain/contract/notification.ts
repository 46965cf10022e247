import { type CertificateAccountRequestFailed, detailTypes, type PerennialEvent, parseEvent } from './events.ts';

/** The detail types of all events that reach the function `notification`. */
export const notifiedDetailTypes: readonly string[] = Object.values(detailTypes);

/** An event about one certificate. */
export type CertificateEvent = Exclude<PerennialEvent, { detailType: 'Certificate Account Request Failed' }>;

/** A failed request to the accounts workflow. The request is the input of the execution, which may be anything. */
export interface FailedAccountRequest {
  readonly action: string;
  readonly issuer: string | null;
  readonly certificate: string | null;
  readonly error: string;
  readonly cause: string;
}

/** The messages that schedules send. `reminder` is daily, and `digest` is weekly. */
const notificationSchedules = ['reminder', 'digest'] as const;
export type NotificationSchedule = (typeof notificationSchedules)[number];

/** The content of one message of the queue. */
export type QueueContent =
  | { readonly schedule: NotificationSchedule }
  | { readonly request: FailedAccountRequest }
  | { readonly event: CertificateEvent };

/** The content of the messages of one invocation. */
export interface NotificationInput {
  readonly schedules: readonly NotificationSchedule[];
  readonly requests: readonly FailedAccountRequest[];
  readonly events: readonly CertificateEvent[];
}

/** The body of the message that a schedule puts into the queue. */
export const scheduleMessage = (notification: NotificationSchedule): object => ({ notification });

/**
 * Parses the body of a message of the queue: an event of Perennial, or the message of a schedule.
 *
 * @throws Error if it is neither
 */
export function parseQueueBody(body: string): QueueContent {
  const content = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const schedule = notificationSchedules.find((each) => each === content.notification);
  if (schedule) return { schedule };
  const event = parseEvent(content);
  return event.detailType === detailTypes.accountRequestFailed
    ? { request: accountRequestOf(event.detail) }
    : { event };
}

function accountRequestOf({ request, error, cause }: CertificateAccountRequestFailed): FailedAccountRequest {
  const { action, issuer, certificate } = recordOf(request);
  return {
    action: textOf(action) ?? 'without an action',
    issuer: textOf(issuer),
    certificate: textOf(certificate),
    error,
    cause,
  };
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** A kind of problem that operators are notified of. */
export type ProblemKind = 'failing' | 'expiring' | 'notServed' | 'changedOutside' | 'leftovers' | 'sharing';

/** A message of SNS. The subject is the subject of e-mails. */
export interface NotificationMessage {
  /** At most 100 printable characters of ASCII. */
  readonly subject: string;
  /** At most 256 KB. */
  readonly body: string;
}

/** Names the deployment in the commands of messages. */
export interface DeploymentPlace {
  readonly stack: string;
  readonly region: string;
}
