import { NotDeliveredError } from './await-delivery.ts';

/**
 * Bytes of a reason. CloudFormation takes 4,096 for a whole reply, in which every line break and quote is escaped and the stack's ARN and
 * the names around it need up to a thousand.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
const longestReason = 2400;

/**
 * What a function throws becomes the reason that CloudFormation shows. CDK's Provider framework puts the stack behind the message, which
 * would take the room, so the error that is thrown has a stack of one line.
 */
export async function forCloudFormation<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { name } = error instanceof Error ? error : new Error();
    throw Object.assign(new Error(reasonOf(error)), { name, stack: name });
  }
}

/** The execution's ARN is always whole. */
function reasonOf(error: unknown): string {
  if (!(error instanceof NotDeliveredError))
    return shortened(error instanceof Error ? `${error.name}: ${error.message}` : `Error: ${error}`);
  return shortened(error.message, error.execution === null ? '' : `\nExecution: ${error.execution}`);
}

function shortened(text: string, end = ''): string {
  const fits = (reason: string) => Buffer.byteLength(JSON.stringify(reason)) <= longestReason;
  if (fits(text + end)) return text + end;
  let begin = text;
  while (begin && !fits(`${begin}…${end}`)) begin = begin.slice(0, Math.floor(begin.length * 0.95));
  return `${begin}…${end}`;
}
