import * as errors from './errors.ts';

/**
 * The one encoder and decoder of errors, which cross Lambda and Step Functions as text. Lambda reports
 * `{ errorType, errorMessage, trace }`, and Step Functions keeps it as Error and Cause. The first line of `errorMessage` is the sentence;
 * the second, where there is one, holds the fields and the problem document as JSON.
 */

/** Characters of a sentence. Cause may hold 32,768 characters, an event less; two kilobytes say all that an operator reads. */
export const longestMessage = 2048;

/** Characters of a certificate's name, which comes from the execution's input and may be of any length there. */
const longestName = 100;

export interface FailureReport {
  /** A class of `errors.ts`; never a name that begins with `States.`. */
  readonly error: string;
  /** On one line. */
  readonly sentence: string;
  readonly fields: errors.ErrorFields;
  readonly problem: errors.ProblemDocument | null;
}

const classes = new Set(Object.keys(errors));

/** Names that AWS gives to errors for which there is a class. */
export const namesOfAws: Readonly<Record<string, string>> = {
  'States.Timeout': 'StepTimedOutError',
  'States.HeartbeatTimeout': 'StepTimedOutError',
  'Sandbox.Timedout': 'StepTimedOutError',
  'Lambda.TooManyRequestsException': 'ThrottledError',
};

/** Returns the text on one line, cut where it is too long. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ').trim();
  return line.length > longestMessage ? `${line.slice(0, longestMessage - 1)}…` : line;
}

/**
 * The error to throw out of a function: the same name, and the message in two lines. An error that does not say which certificate it is
 * about gets the name that the function was called with; empty: none.
 */
export function toLambdaError(error: unknown, certificate = ''): Error {
  const { name, message, fields, problem } = aboutCertificate(ofOurs(error), certificate.slice(0, longestName));
  const details = { ...withinRoom(fields), ...(problem && { problem: shortened(problem) }) };
  const lines = [oneLine(message), ...(Object.keys(details).length > 0 ? [JSON.stringify(details)] : [])];
  // The stack is in the log. In Cause it would repeat both lines.
  return Object.assign(new Error(lines.join('\n')), { name, stack: name });
}

const ofOurs = (error: unknown): errors.PerennialError =>
  error instanceof errors.PerennialError
    ? error
    : new errors.UnexpectedError({ what: error instanceof Error ? error.message : String(error) });

const aboutCertificate = (error: errors.PerennialError, certificate: string): errors.PerennialError =>
  certificate === '' || error.fields.certificate !== undefined ? error : error.with({ certificate });

/** Characters of JSON for all fields. Those that do not fit are left out; the log has them. */
const fieldsRoom = 2000;

/** Characters of JSON for the subproblems: about a hundred identifiers. Cause holds 32,768 with everything escaped. */
const subproblemsRoom = 10_000;

/** Returns the items that fit, the first ones first. */
function thatFit<Item>(items: readonly Item[], room: number): readonly Item[] {
  let left = room;
  return items.filter((item) => {
    const { length } = JSON.stringify(item);
    if (length > left) return false;
    left -= length;
    return true;
  });
}

const withinRoom = (fields: errors.ErrorFields): errors.ErrorFields =>
  Object.fromEntries(
    thatFit(
      Object.entries(fields).filter(([, value]) => value !== undefined),
      fieldsRoom,
    ),
  );

/** Texts cut, and of subproblems after the third only type and identifier, so that the JSON stays whole JSON. */
function shortened({ subproblems, type, detail, identifier, ...rest }: errors.ProblemDocument): errors.ProblemDocument {
  const parts = subproblems?.map(({ type, identifier, detail = '' }, index) => ({
    type,
    ...(identifier ? { identifier } : {}),
    ...(index < 3 ? { detail: detail.slice(0, 200) } : {}),
  }));
  return {
    type: type.slice(0, 200),
    ...rest,
    ...(detail === undefined ? {} : { detail: detail.slice(0, 700) }),
    ...(identifier === undefined ? {} : { identifier: identifier.slice(0, 300) }),
    ...(parts ? { subproblems: thatFit(parts, subproblemsRoom) } : {}),
  };
}

/** Returns a report of `$states.errorOutput`, whatever its shape. */
export function readErrorOutput(errorOutput: unknown): FailureReport {
  const { Error: name, Cause: cause } = record(errorOutput);
  const lambda = record(parsed(cause));
  const type = text(lambda.errorType) ?? text(name) ?? '';
  const message = text(lambda.errorMessage) ?? text(cause) ?? 'no cause was given';
  const { sentence, fields, problem } = decoded(message);
  const error = classes.has(type) ? type : (Object.hasOwn(namesOfAws, type) && namesOfAws[type]) || 'UnexpectedError';
  const unexpected = error === 'UnexpectedError' && type !== error;
  return {
    error,
    sentence: oneLine(unexpected ? `${type || 'unnamed error'}: ${sentence}` : sentence),
    fields,
    problem: typeof record(problem).type === 'string' ? (problem as errors.ProblemDocument) : null,
  };
}

/** Reads the two lines of the encoder. Text of another origin is a sentence as a whole. */
function decoded(message: string): Pick<FailureReport, 'sentence' | 'fields'> & { readonly problem: unknown } {
  const end = message.indexOf('\n');
  const details = end > 0 ? parsed(message.slice(end + 1)) : undefined;
  if (typeof details !== 'object') return { sentence: message, fields: {}, problem: null };
  const { problem = null, ...fields } = record(details);
  return { sentence: message.slice(0, end), fields, problem };
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined; // not JSON: a plain sentence, which the caller takes as it is
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
