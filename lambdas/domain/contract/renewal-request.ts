import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { InvalidInputError } from './errors.ts';

/** The input of a renewal execution, as the fleet or a person gives it. */
export interface RenewalRequest {
  readonly certificate: string;
  /** Issue although nothing is due. */
  readonly force: boolean;
  /**
   * A deployment waits for the end (`infra/consumers/certificate-requests.ts`). What failed before it began holds nothing back, save a CA's own
   * limits; met by an execution that is at the same certificate, *Check renewal* looks again each 10 s, 25 minutes in all, and leaves it
   * at what that one has recorded; *Record failure* ends it with the first failure, except that a denied access is tried again for three
   * minutes. Nothing is issued that is not due.
   */
  readonly deploy: boolean;
  /** ARN of the execution that died and that this one carries on after; `null`: none. */
  readonly restartOf: string | null;
}

const request = z.strictObject({
  certificate: z.string().check(z.minLength(1)),
  force: z._default(z.boolean(), false),
  deploy: z._default(z.boolean(), false),
});

/** What the rule on dead executions gives: the ARN of the dead one and its input, as text. */
const restart = z.strictObject({
  restartOf: z.string().check(z.minLength(1)),
  input: z.string(),
});

/**
 * Throws `InvalidInputError` with what was found and what is wanted. The restart of a dead execution is for the same certificate and
 * never forced: what a person insisted on, the dead one has ordered, or the person insists again. Nor does a deployment wait for it: that
 * has been told of the death. A restart of a restart is refused.
 */
export function parseRequest(input: unknown): RenewalRequest {
  if (!isRestart(input)) return { ...understood(request, input), restartOf: null };
  const { restartOf, input: text } = understood(restart, input);
  const inner = jsonOf(text);
  if (isRestart(inner)) {
    throw new InvalidInputError({
      what: `${restartOf} was a restart itself, and an interrupted restart is not restarted.`,
      remedy: 'The next fleet run checks its certificate.',
    });
  }
  return { ...understood(request, inner), force: false, deploy: false, restartOf };
}

const isRestart = (input: unknown): boolean => typeof input === 'object' && input !== null && 'restartOf' in input;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // refused as text, with what is wanted
  }
}

function understood<Output>(schema: z.ZodMiniType<Output>, input: unknown): Output {
  const result = schema.safeParse(input, { error: en().localeError }); // zod/mini says only "Invalid input" by itself
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new InvalidInputError({
    what: `The execution's input is not understood (${problems.join('; ')}).`,
    remedy: 'Give {"certificate": "www"} or {"certificate": "www", "force": true}.',
  });
}
