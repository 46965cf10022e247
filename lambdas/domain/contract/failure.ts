import * as errors from './errors.ts';
import { printable } from './printable-text.ts';

/**
 * The only encoder and decoder of errors, which cross Lambda and Step Functions as text. Lambda reports `{ errorType, errorMessage, trace }`,
 * and Step Functions keeps it as Error and Cause. The first line of `errorMessage` is the message. A second line, if any, has the fields and the
 * problem document as JSON.
 */

/** Longest message in characters. Cause has room for 32,768, and an event for fewer. An operator does not read more than 2,048. */
export const longestMessage = 2048;

/** Longest name of a certificate in an error. The name comes from the input of the execution, where it can have any length. */
const longestName = 100;

/** An error as *Record failure* reads it. */
export interface FailureReport {
  /** Name of a class in `errors.ts`. It never begins with `States.`. */
  readonly error: string;
  /** The message on one line. */
  readonly sentence: string;
  readonly fields: errors.ErrorFields;
  readonly problem: errors.ProblemDocument | null;
}

const classes = new Set(Object.keys(errors));

/** Error names of AWS that have a class of their own. */
export const awsErrorNames: Readonly<Record<string, string>> = {
  'States.Timeout': 'StepTimedOutError',
  'States.HeartbeatTimeout': 'StepTimedOutError',
  'Sandbox.Timedout': 'StepTimedOutError',
  'Lambda.TooManyRequestsException': 'ThrottledError',
};

const oneLine = (text: string): string => printable(text, longestMessage);

/**
 * Encodes an error for Lambda. The result has the same name and a message of one or two lines. An error without a certificate gets the name of
 * the certificate for which the function was called, unless that is empty.
 */
export function toLambdaError(error: unknown, certificate = ''): Error {
  const { name, message, fields, problem } = withCertificate(
    asPerennialError(error),
    printable(certificate, longestName),
  );
  const details = { ...fittingFields(fields), ...(problem && { problem: shortened(problem) }) };
  const lines = [oneLine(message), ...(Object.keys(details).length > 0 ? [JSON.stringify(details)] : [])];
  // The stack is in the log. In Cause it would repeat both lines.
  return Object.assign(new Error(lines.join('\n')), { name, stack: name });
}

const asPerennialError = (error: unknown): errors.PerennialError =>
  error instanceof errors.PerennialError
    ? error
    : new errors.UnexpectedError({ what: error instanceof Error ? error.message : String(error) });

const withCertificate = (error: errors.PerennialError, certificate: string): errors.PerennialError =>
  certificate === '' || error.fields.certificate !== undefined ? error : error.with({ certificate });

/** Longest JSON of all fields. Fields that do not fit are left out. The log has them. */
const longestFields = 2000;

/** Longest JSON of the subproblems, which is about a hundred identifiers. Cause has room for 32,768 characters with all escapes. */
const longestSubproblems = 10_000;

/** The items whose JSON fits into this number of characters, in order. */
function fitting<Item>(items: readonly Item[], room: number): readonly Item[] {
  let left = room;
  return items.filter((item) => {
    const { length } = JSON.stringify(item);
    if (length > left) return false;
    left -= length;
    return true;
  });
}

const fittingFields = (fields: errors.ErrorFields): errors.ErrorFields =>
  Object.fromEntries(
    fitting(
      Object.entries(fields).filter(([, value]) => value !== undefined),
      longestFields,
    ),
  );

/** Shortens the texts of a problem document, so that its JSON stays complete. Subproblems after the third keep only type and identifier. */
function shortened({ subproblems, type, detail, identifier, ...rest }: errors.ProblemDocument): errors.ProblemDocument {
  const parts = subproblems?.map(({ type, identifier, detail = '' }, index) => ({
    type: printable(type, 200),
    ...(identifier ? { identifier: printable(identifier, 300) } : {}),
    ...(index < 3 ? { detail: printable(detail, 200) } : {}),
  }));
  return {
    type: printable(type, 200),
    ...rest,
    ...(detail === undefined ? {} : { detail: printable(detail, 700) }),
    ...(identifier === undefined ? {} : { identifier: printable(identifier, 300) }),
    ...(parts ? { subproblems: fitting(parts, longestSubproblems) } : {}),
  };
}

/** Decodes `$states.errorOutput`. It returns a report for any value and never throws. */
export function readErrorOutput(errorOutput: unknown): FailureReport {
  const { Error: name, Cause: cause } = record(errorOutput);
  const lambda = record(parsed(cause));
  const type = text(lambda.errorType) ?? text(name) ?? '';
  const message = text(lambda.errorMessage) ?? text(cause) ?? 'no cause was given';
  const { sentence, fields, problem } = decoded(message);
  const error = classes.has(type)
    ? type
    : (Object.hasOwn(awsErrorNames, type) && awsErrorNames[type]) || 'UnexpectedError';
  const unexpected = error === 'UnexpectedError' && type !== error;
  return {
    error,
    sentence: oneLine(unexpected ? `${type || 'unnamed error'}: ${sentence}` : sentence) || 'no cause was given',
    fields,
    problem: typeof record(problem).type === 'string' ? (problem as errors.ProblemDocument) : null,
  };
}

/** Splits the lines of the encoder. Text from another source is the message as a whole. */
function decoded(message: string): Pick<FailureReport, 'sentence' | 'fields'> & { readonly problem: unknown } {
  const end = message.indexOf('\n');
  const details = end > 0 ? parsed(message.slice(end + 1), printableValue) : undefined;
  if (typeof details !== 'object') return { sentence: message, fields: {}, problem: null };
  const { problem = null, ...fields } = record(details);
  return { sentence: message.slice(0, end), fields, problem };
}

function parsed(value: unknown, reviver?: (key: string, value: unknown) => unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value, reviver);
  } catch {
    return undefined; // plain text, which the caller uses as it is
  }
}

const printableValue = (_: string, value: unknown): unknown => (typeof value === 'string' ? oneLine(value) : value);

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
