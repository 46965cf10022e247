import { Token } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { z } from 'zod';
import { isEmailAddress, normalizeEmailAddress } from './email-address.ts';
import { list, readFields, readList, readValue, unread } from './fields.ts';
import type { Report } from './mistakes.ts';

/** Whom to notify, as it was checked. At least one of both is there. */
export interface CheckedNotifications {
  /** Without duplicates. The domains are in A-labels and lower case. */
  readonly email: readonly string[];
  readonly topic: ITopic | undefined;
}

const allowedAddress = 'one e-mail address such as "ops@example.com"';
const address = z
  .string({ error: allowedAddress })
  .refine(isEmailAddress, { error: allowedAddress })
  .transform(normalizeEmailAddress);

const topic = z
  .custom<ITopic>((value) => typeof (value as ITopic | null)?.topicArn === 'string', {
    error: 'a topic such as new Topic(this, "Alerts")',
  })
  .optional();

const fileFields = { email: list('a list of e-mail addresses').min(1, { error: 'at least one e-mail address' }) };
const constructFields = { email: fileFields.email.optional(), topic: unread };
const synonyms = {
  ...{ address: 'email', addresses: 'email', emails: 'email', mail: 'email', to: 'email' },
  ...{ sns: 'topic', topicarn: 'topic' },
};

/** Where `notifications` is read. */
interface NotificationsContext {
  /** Whether a topic may be given, as in the construct. */
  readonly topics: boolean;
  /** Region of the stack, if it is known. */
  readonly region: string | undefined;
}

/** Reads `notifications`. Mistakes are reported, and the fields with them are left out. */
export function readNotifications(
  value: unknown,
  { topics, region }: NotificationsContext,
  report: Report,
): CheckedNotifications | undefined {
  if (value === undefined) return undefined;
  const kind = { subject: 'notifications', fields: topics ? constructFields : fileFields, synonyms };
  const fields: { readonly email?: unknown[] | undefined; readonly topic?: unknown } | undefined = readFields(
    kind,
    value,
    'notifications',
    report,
  );
  if (!fields) return undefined;
  const given = readValue(topic, fields.topic, 'notifications.topic', report);
  if (given) checkTopic(given, region, report);
  if (topics && !('email' in (value as object)) && fields.topic === undefined)
    report('notifications', 'found neither an e-mail address nor a topic', 'set email, topic or both');
  const email = readList(address, fields.email, 'notifications.email', report);
  for (const [index, each] of email.entries()) {
    const first = email.findIndex((other) => other?.toLowerCase() === each?.toLowerCase());
    if (each !== undefined && first < index)
      report(
        `notifications.email[${index}]`,
        `duplicate address ${JSON.stringify(each)} (also notifications.email[${first}])`,
        'addresses must be unique',
      );
  }
  return { email: email.filter((each) => each !== undefined), topic: given };
}

/** Reports a topic to which e-mails or alarms cannot be sent. */
function checkTopic({ fifo, env }: ITopic, region: string | undefined, report: Report): void {
  if (fifo)
    report('notifications.topic', 'found a FIFO topic', 'expected a standard topic, because only these send e-mails');
  const known = [env.region, region].every((each) => each !== undefined && !Token.isUnresolved(each));
  if (known && env.region !== region) {
    const allowed = `expected one in ${region}, because alarms reach topics of their own region only`;
    report('notifications.topic', `found a topic in ${env.region}`, allowed);
  }
}
