/**
 * Bytes of a reason. CloudFormation takes 4,096 for a whole reply, in which every line break and quote is escaped and the stack's ARN and
 * the names around it need up to a thousand.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
const longestReason = 2400;

/**
 * What a function throws becomes the reason that CloudFormation shows. CDK's Provider framework puts the trace behind the message, which
 * is nobody's business there and would take the room: an error of one line has none.
 */
export async function forCloudFormation<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const text = name === 'NotDeliveredError' ? message : `${name}: ${message}`;
    const shown = Object.assign(new Error(shortened(text)), { name });
    shown.stack = name;
    throw shown;
  }
}

/** The last lines are whole: the execution's ARN stands there. */
function shortened(text: string): string {
  if (Buffer.byteLength(JSON.stringify(text)) <= longestReason) return text;
  const end = text.slice(text.lastIndexOf('\n') + 1);
  let begin = text.slice(0, Math.max(0, text.length - end.length));
  while (begin && Buffer.byteLength(JSON.stringify(`${begin}…\n${end}`)) > longestReason)
    begin = begin.slice(0, Math.floor(begin.length * 0.95));
  return `${begin}…\n${end}`;
}
