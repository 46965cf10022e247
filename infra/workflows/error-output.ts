import type { CatchProps } from 'aws-cdk-lib/aws-stepfunctions';
import { awsErrorNames } from '../../lambdas/domain/contract/failure.ts';

/** Keeps the error of a state in `$errorOutput`, for the states that record and publish it. */
export const keepError: CatchProps = { assign: { errorOutput: '{% $states.errorOutput %}' } };

/**
 * Expression for the name and the message of the error in `$errorOutput`, for workflows and states that record no failure. The message is the
 * first line of `errorMessage`, as `domain/contract/failure.ts` writes it. Cause is parsed only if it looks like a complete reply of Lambda,
 * because `$parse` fails on any other text. The name never begins with `States.`, because a Fail state rejects such a name.
 */
export const failureFromError = `{% (
  $text := $exists($errorOutput.Cause) ? $errorOutput.Cause : 'no cause was given';
  $reply := $substring($text, 0, 7) = '{"error' and $substring($text, -1) = '}' ? $parse($text) : {};
  $name := $exists($errorOutput.Error) ? $errorOutput.Error : 'UnexpectedError';
  $known := $lookup(${JSON.stringify(awsErrorNames)}, $name);
  {
    'error': $exists($known) ? $known : ($substring($name, 0, 7) = 'States.' ? 'UnexpectedError' : $name),
    'cause': $substringBefore($type($reply.errorMessage) = 'string' ? $reply.errorMessage : $text, '\\n')
  }
) %}`.replaceAll(/\n\s*/g, ' ');
