import * as errors from './errors.ts';

/**
 * How an error crosses from a function into the state machine and back. Lambda reports `{ errorType, errorMessage, trace }`,
 * so the problem document travels as JSON in the message; Step Functions keeps Error and Cause.
 */

/** Cause may hold 32,768 characters, an event less; two kilobytes say all that an operator reads. */
export const longestMessage = 2048;

export interface FailureReport {
  /** A class of `errors.ts`; never a name that begins with `States.`. */
  readonly error: string;
  readonly message: string;
  readonly problem: errors.ProblemDocument | null;
}

const known = new Set(Object.keys(errors));

/** AWS's own names for what a class of ours says to an operator. */
const translated: ReadonlyMap<string, string> = new Map([
  ['States.Timeout', 'StepTimedOutError'],
  ['States.HeartbeatTimeout', 'StepTimedOutError'],
  ['Sandbox.Timedout', 'StepTimedOutError'],
  ['Lambda.TooManyRequestsException', 'ThrottledError'],
]);

const cut = (text: string): string => (text.length > longestMessage ? `${text.slice(0, longestMessage - 1)}…` : text);

/** The error to throw out of a function: same name, the problem document in the message. */
export function toLambdaError(error: unknown): Error {
  const known = error instanceof errors.PerennialError;
  const problem = known ? error.problem : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const text = cut(message);
  const thrown = new Error(problem ? JSON.stringify({ message: text, problem: shortened(problem) }) : text);
  thrown.name = known ? error.name : 'UnexpectedError';
  return thrown;
}

/** Room for the subproblems in characters of JSON: about a hundred identifiers. Cause holds 32,768 with everything escaped. */
const subproblemsRoom = 10_000;

/** Detail cut, and of subproblems after the third only type and identifier, so that the JSON stays whole JSON. */
function shortened({ subproblems, detail, ...rest }: errors.ProblemDocument): errors.ProblemDocument {
  let room = subproblemsRoom;
  const parts = (subproblems ?? []).map(({ type, identifier, detail = '' }, index) => ({
    type,
    ...(identifier ? { identifier } : {}),
    ...(index < 3 ? { detail: detail.slice(0, 200) } : {}),
  }));
  return {
    ...rest,
    ...(detail === undefined ? {} : { detail: detail.slice(0, 700) }),
    ...(subproblems
      ? {
          subproblems: parts.filter((part) => {
            room -= JSON.stringify(part).length;
            return room >= 0;
          }),
        }
      : {}),
  };
}

/** Reads `$states.errorOutput` defensively: whatever it is, an answer comes out. */
export function readErrorOutput(errorOutput: unknown): FailureReport {
  const { Error: name, Cause: cause } = record(errorOutput);
  const lambda = record(parsed(cause));
  const type = text(lambda.errorType) ?? text(name) ?? '';
  const message = text(lambda.errorMessage) ?? text(cause) ?? 'no cause was given';
  const inner = record(parsed(message));
  const error = known.has(type) ? type : (translated.get(type) ?? 'UnexpectedError');
  const sentence = text(inner.message) ?? message;
  return {
    error,
    message: cut(error === 'UnexpectedError' && type !== error ? `${type || 'unnamed error'}: ${sentence}` : sentence),
    problem: typeof record(inner.problem).type === 'string' ? (inner.problem as errors.ProblemDocument) : null,
  };
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
