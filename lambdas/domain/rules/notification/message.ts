import type { DeploymentPlace, NotificationMessage } from '../../contract/notification.ts';
import { printable } from '../../contract/printable-text.ts';
import { counted, minuteOf, withMinutes } from '../wording.ts';

/** Longest subject that SNS accepts, in characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const longestSubject = 100;

/** Largest message that SNS accepts, in bytes. The rest is for the sentence about the cut. */
const largestBody = 262_144 - 300;

/** Longest name of a stack in a subject. A stack name may have 128 characters. */
const longestStack = 30;

/** Returns a message with the subject `[stack] subject`, within the limits of SNS. The paragraphs are separated by an empty line. */
export function messageOf(subject: string, paragraphs: readonly string[], place: DeploymentPlace): NotificationMessage {
  const { stack } = place;
  const name = stack.length > longestStack ? `${stack.slice(0, longestStack - 3)}...` : stack;
  return {
    subject: subjectLine(`[${name}] ${subject}`),
    body: withinLimit(withMinutes(paragraphs.join('\n\n')), place),
  };
}

/** Returns printable ASCII on one line. */
function subjectLine(text: string): string {
  const ascii = text.replaceAll(/[^ -~]+/g, ' ');
  return ascii.length > longestSubject ? `${ascii.slice(0, longestSubject - 3)}...` : ascii;
}

/** Cuts a body at the end of a line, and says so. */
function withinLimit(body: string, place: DeploymentPlace): string {
  const bytes = Buffer.from(body);
  if (bytes.length <= largestBody) return body;
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n', largestBody)).toString();
  return `${whole}\n\nThe rest of this message was cut, because a message has at most 256 KB. To see everything, run:\n${commandLine('status', place)}`;
}

/** Returns the command of the command line with the options that find this deployment. */
export const commandLine = (command: string, { stack, region }: DeploymentPlace): string =>
  `  npx cdk-perennial ${command} --stack ${stack} --region ${region}`;

/** Longest quoted text, in characters. */
const longestQuote = 2048;

/**
 * Returns text that may quote a CA, as one line of printable characters. The query of a link is left out, because it may be a token, and so are PEM
 * blocks.
 */
export function quote(text: string): string {
  return printable(text, longestQuote)
    .replaceAll(/(https?:\/\/[^\s?"<>]+)\?[^\s"<>]*/g, '$1?...')
    .replaceAll(/-----BEGIN [^-]*-----.*?(?:-----END [^-]*-----|$)/g, '[PEM block]');
}

const day = 86_400_000;
const hour = 3_600_000;

/** Returns how long a certificate is still valid, as a part of a sentence. */
export function validity(current: { readonly notAfter: string } | null, now: Date): string {
  if (!current) return 'has never been issued';
  const left = Date.parse(current.notAfter) - now.getTime();
  const until = minuteOf(current.notAfter);
  return left > 0 ? `is valid until ${until}, for ${duration(left)}` : `expired at ${until}, ${duration(-left)} ago`;
}

function duration(milliseconds: number): string {
  if (milliseconds >= 2 * day) return counted(Math.floor(milliseconds / day), 'day');
  if (milliseconds >= 2 * hour) return counted(Math.floor(milliseconds / hour), 'hour');
  return counted(Math.floor(milliseconds / 60_000), 'minute');
}
