import type { ProblemDocument } from '../../lambdas/domain/contract/errors.ts';
import * as errors from '../../lambdas/domain/contract/errors.ts';
import { toLambdaError } from '../../lambdas/domain/contract/failure.ts';

/** Returns `$states.errorOutput` of a state whose function threw this error. */
export function errorOutputOf({ name, message, stack = '' }: Error): {
  readonly Error: string;
  readonly Cause: string;
} {
  const report = { errorType: name, errorMessage: message, trace: stack.split('\n') };
  return { Error: name, Cause: JSON.stringify(report) };
}

/** Returns `$states.errorOutput` of a state whose function threw an error of the class with this name. */
export function failedWith(name: string, what: string, problem?: ProblemDocument): ReturnType<typeof errorOutputOf> {
  const ErrorClass: unknown = Reflect.get(errors, name);
  if (typeof ErrorClass !== 'function') throw new Error(`There is no error ${name}.`);
  return errorOutputOf(toLambdaError(Reflect.construct(ErrorClass, [{ what, problem }])));
}
