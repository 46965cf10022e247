import type { CatchProps } from 'aws-cdk-lib/aws-stepfunctions';

/** What an error leaves for the states that record it and tell of it. */
export const noted: CatchProps = { assign: { errorOutput: '{% $states.errorOutput %}' } };

/**
 * What *Record failure* would say, from the error itself, for when it cannot be asked: the sentence out of a function's reply
 * (`domain/contract/failure.ts` writes it), and never a name that begins with `States.`, which Fail may not show.
 */
export const failureAsIs = `{% (
  $text := $exists($errorOutput.Cause) ? $errorOutput.Cause : 'no cause was given';
  $reply := $substring($text, 0, 7) = '{"error' and $substring($text, -1) = '}' ? $parse($text) : {};
  $message := $exists($reply.errorMessage) ? $reply.errorMessage : $text;
  $withProblem := $substring($message, 0, 12) = '{"message":"' and $substring($message, -1) = '}';
  $name := $exists($errorOutput.Error) ? $errorOutput.Error : 'UnexpectedError';
  $timedOut := $name in ['States.Timeout', 'States.HeartbeatTimeout', 'Sandbox.Timedout'];
  {
    'error': $timedOut ? 'StepTimedOutError' : ($substring($name, 0, 7) = 'States.' ? 'UnexpectedError' : $name),
    'cause': $withProblem ? $parse($message).message : $message
  }
) %}`.replaceAll(/\n\s*/g, ' ');
