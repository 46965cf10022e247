import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { InvalidInputError } from './errors.ts';

/** The input of a renewal execution, from the fleet or from the operator. */
export interface RenewalRequest {
  readonly certificate: string;
  /** Whether to issue although the certificate is not due. */
  readonly force: boolean;
  /**
   * Whether a deployment waits for the execution (`infra/consumers/certificate-requests.ts`). Earlier failures do not delay its first attempt, but
   * limits of a CA do. If another execution has the lease, *Check renewal* checks again every 10 s, for 25 minutes in all, and then uses the result
   * of that execution. The first failure ends the execution, but a denied call is retried for three minutes. A certificate that is not due is not
   * issued.
   */
  readonly deploy: boolean;
  /**
   * Whether only the TXT values of earlier executions are removed. The deletion of the stack does so (`lambdas/deployment/stop-executions.ts`), and
   * nothing is ordered.
   */
  readonly cleanUp: boolean;
  /** ARN of the interrupted execution that this one restarts. `null` if none. */
  readonly restartOf: string | null;
}

const request = z.strictObject({
  certificate: z.string().check(z.minLength(1)),
  force: z._default(z.boolean(), false),
  deploy: z._default(z.boolean(), false),
  cleanUp: z._default(z.boolean(), false),
});

/** The input from the restart rule: the ARN of the interrupted execution. EventBridge could not pass its input, because it escapes no quotes. */
const restart = z.strictObject({ restartOf: z.string().check(z.minLength(1)) });

/**
 * Returns the ARN of the interrupted execution if the input is that of a restart, otherwise `null`.
 *
 * @throws InvalidInputError if the input of a restart has other fields
 */
export function interruptedExecution(input: unknown): string | null {
  return isRestart(input) ? parsed(restart, input).restartOf : null;
}

/**
 * Parses the input of a renewal execution that is no restart.
 *
 * @throws InvalidInputError with the faults of the input and with valid examples
 */
export function parseRequest(input: unknown): RenewalRequest {
  return { ...parsed(request, input), restartOf: null };
}

/**
 * Returns the request of the restart of an interrupted execution, from the input of that execution as text. The certificate is the same. The restart
 * is not forced, because the interrupted execution has ordered or the operator can force again. No deployment waits for it, because the deployment has
 * seen the interruption. The restart of a restart is rejected.
 *
 * @throws InvalidInputError if the interrupted execution cannot be restarted
 */
export function parseRestart(restartOf: string, input: string): RenewalRequest {
  const inner = jsonOf(input);
  if (isRestart(inner)) {
    throw new InvalidInputError({
      what: `${restartOf} was a restart itself, and an interrupted restart is not restarted.`,
      remedy: 'The next fleet run checks its certificate.',
    });
  }
  return { ...parsed(request, inner), force: false, deploy: false, restartOf };
}

const isRestart = (input: unknown): boolean => typeof input === 'object' && input !== null && 'restartOf' in input;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the schema rejects text and names the expected fields
  }
}

function parsed<Output>(schema: z.ZodMiniType<Output>, input: unknown): Output {
  const result = schema.safeParse(input, { error: en().localeError }); // zod/mini alone says only "Invalid input"
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new InvalidInputError({
    what: `The input of the execution is invalid (${problems.join('; ')}).`,
    remedy: 'Give {"certificate": "www"} or {"certificate": "www", "force": true}.',
  });
}
