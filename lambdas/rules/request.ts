import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { InvalidInputError } from './errors.ts';

/** The input of a renewal execution, as the fleet or a person gives it. */
export interface RenewalRequest {
  readonly certificate: string;
  /** Issue although nothing is due. */
  readonly force: boolean;
}

const request = z.strictObject({
  certificate: z.string().check(z.minLength(1)),
  force: z._default(z.boolean(), false),
});

/** Throws `InvalidInputError` with what was found and what is wanted. */
export function parseRequest(input: unknown): RenewalRequest {
  const result = request.safeParse(input, { error: en().localeError }); // zod/mini says only "Invalid input" by itself
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new InvalidInputError(
    `The execution's input is not understood (${problems.join('; ')}). Give {"certificate": "www"} or {"certificate": "www", "force": true}.`,
  );
}
