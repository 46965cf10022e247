import { CommanderError } from 'commander';
import { ofCredentials } from '../lambdas/adapters/aws/translate-errors.ts';
import {
  AccessDeniedError,
  PerennialError,
  RoleNotAssumedError,
  SecretDeletedError,
  ThrottledError,
} from '../lambdas/domain/contract/errors.ts';
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts';

/** What a command prints when it fails, and its exit code. */
export interface Problem {
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** Messages of Node.js and of some services have no full stop. */
export const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Returns the message for an error, in words for an operator at a terminal. */
export function problemOf(error: unknown): Problem {
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  // commander has printed its own message.
  if (error instanceof CommanderError)
    return { message: '', exitCode: error.exitCode === 0 ? exitCodes.done : exitCodes.usage };
  const cause = error instanceof Error ? error.cause : undefined;
  const named = cause instanceof Error ? cause : error instanceof Error ? error : new Error(String(error));
  // The SDK has found none, so no request was sent.
  const isMissing = named.name === 'CredentialsProviderError';
  if (ofCredentials.has(named.name))
    return {
      message: `${isMissing ? 'No AWS credentials were found.' : 'AWS does not accept your credentials.'} ${sentence(named.message)} Sign in again, or give another --profile.`,
      exitCode: exitCodes.refused,
    };
  if (named.message.includes('Region is missing'))
    return {
      message: 'No region is set. Give --region, or set AWS_REGION or a region in the profile.',
      exitCode: exitCodes.refused,
    };
  if (error instanceof AccessDeniedError && error.fields.role === undefined) return denied(error, named);
  if (error instanceof SecretDeletedError) return { message: error.message, exitCode: exitCodes.notFound };
  if (error instanceof RoleNotAssumedError) return { message: error.message, exitCode: exitCodes.refused };
  if (error instanceof ThrottledError && /Throttl|TooManyRequests|LimitExceeded/.test(named.name))
    return {
      message: `AWS limits the number of calls. ${sentence(named.message)} Run the command again in some minutes.`,
      exitCode: exitCodes.refused,
    };
  if (error instanceof ThrottledError)
    return {
      message: `AWS does not answer. ${sentence(named.message)} Check the network and the region, and run the command again.`,
      exitCode: exitCodes.refused,
    };
  const message = error instanceof PerennialError ? error.message : `${named.name}: ${named.message}`;
  return { message, exitCode: exitCodes.failed };
}

function denied(error: AccessDeniedError, { message }: Error): Problem {
  const { action = '', resource = '' } = error.fields;
  const arn = /arn:\S+/.exec(resource)?.[0] ?? '*';
  const statement = { Effect: 'Allow', Action: action, Resource: arn };
  return {
    message: `Your credentials may not call ${action}. ${message}\nThis statement in a policy of yours allows it:\n${JSON.stringify(statement)}`,
    exitCode: exitCodes.refused,
  };
}
