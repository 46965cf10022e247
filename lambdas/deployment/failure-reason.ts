import { printable } from '../domain/contract/printable-text.ts';
import { NotDeliveredError } from './await-delivery.ts';

/**
 * Longest reason in bytes of JSON, in which line breaks and quotes are escaped. CloudFormation accepts a reply of 4,096 bytes. The ARN of the stack
 * and the names in the reply need up to a thousand of them.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
const longestReason = 2400;

/**
 * Runs the work and throws its error as the reason that CloudFormation shows. CDK's Provider framework appends the stack trace to the message, so
 * the error has a stack of one line. A longer one would leave no space for the reason.
 */
export async function forCloudFormation<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { name } = error instanceof Error ? error : new Error();
    throw Object.assign(new Error(reasonOf(error)), { name, stack: name });
  }
}

/** Returns the reason, shortened if necessary. The ARN of the execution is always complete. */
function reasonOf(error: unknown): string {
  if (!(error instanceof NotDeliveredError))
    return shortened(error instanceof Error ? `${error.name}: ${error.message}` : `Error: ${error}`);
  return shortened(error.message, error.execution === null ? '' : `\nExecution: ${error.execution}`);
}

function shortened(raw: string, end = ''): string {
  const text = printable(raw, 2 * longestReason);
  const fits = (reason: string) => Buffer.byteLength(JSON.stringify(reason)) <= longestReason;
  if (fits(text + end)) return text + end;
  let begin = text;
  while (begin && !fits(`${begin}…${end}`)) begin = begin.slice(0, Math.floor(begin.length * 0.95));
  return `${begin}…${end}`;
}
