import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { InvalidInputError } from './errors.ts';

/** The input of a renewal execution, from the fleet or from the operator. */
export interface RenewalRequest {
  readonly certificate: string;
  /** Whether to issue although the certificate is not due. */
  readonly force: boolean;
  /**
   * Whether a deployment waits for the execution (`infra/consumers/certificate-requests.ts`). Earlier failures do not delay it, but limits of a
   * CA do. If another execution has the lease, *Check renewal* checks again every 10 s, for 25 minutes in all, and then uses the result of that
   * execution. The first failure ends the execution, but a denied call is retried for three minutes. A certificate that is not due is not issued.
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

/** The input from the restart rule: the ARN of the interrupted execution and its input as text. */
const restart = z.strictObject({
  restartOf: z.string().check(z.minLength(1)),
  input: z.string(),
});

/**
 * Parses the input of a renewal execution. The restart of an interrupted execution has the same certificate. It is not forced, because the
 * interrupted execution has ordered or the operator can force again. No deployment waits for it, because the deployment has seen the
 * interruption. The restart of a restart is rejected.
 *
 * @throws InvalidInputError with the faults of the input and with valid examples
 */
export function parseRequest(input: unknown): RenewalRequest {
  if (!isRestart(input)) return { ...parsed(request, input), restartOf: null };
  const { restartOf, input: text } = parsed(restart, input);
  const inner = jsonOf(text);
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
