import type { CatchProps } from 'aws-cdk-lib/aws-stepfunctions';
import { awsErrorNames } from '../../lambdas/domain/contract/failure.ts';

/** Keeps the error of a state for the states that record and publish it. */
export const noted: CatchProps = { assign: { errorOutput: '{% $states.errorOutput %}' } };

/**
 * Name and sentence of the noted error, where no function can be asked for them. The sentence is the first line of `errorMessage`, as
 * `domain/contract/failure.ts` writes it. Cause is only parsed when it looks like a whole reply of Lambda, because `$parse` fails on any
 * other text. The name never begins with `States.`, which a Fail state rejects.
 */
export const failureAsIs = `{% (
  $text := $exists($errorOutput.Cause) ? $errorOutput.Cause : 'no cause was given';
  $reply := $substring($text, 0, 7) = '{"error' and $substring($text, -1) = '}' ? $parse($text) : {};
  $name := $exists($errorOutput.Error) ? $errorOutput.Error : 'UnexpectedError';
  $known := $lookup(${JSON.stringify(awsErrorNames)}, $name);
  {
    'error': $exists($known) ? $known : ($substring($name, 0, 7) = 'States.' ? 'UnexpectedError' : $name),
    'cause': $substringBefore($type($reply.errorMessage) = 'string' ? $reply.errorMessage : $text, '\\n')
  }
) %}`.replaceAll(/\n\s*/g, ' ');
