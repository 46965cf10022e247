import {
  AccessDeniedError,
  AwsRefusedError,
  PerennialError,
  ThrottledError,
  UnexpectedError,
} from '../../domain/contract/errors.ts';

/** A call for messages: the IAM action, and the resource as a phrase such as `secret certificates/www`. */
export interface Call {
  readonly action: string;
  readonly resource: string;
  /** ARN of the role that made the call, if it is not the role of the function. */
  readonly role?: string | undefined;
}

/**
 * Returns the reply of a call. For an error with a name in `answers`, returns the result of that function. Any other error is thrown as an error
 * class of this project.
 */
export async function replyOf<Reply, Answer = never>(
  call: Call,
  reply: Promise<Reply>,
  answers: Readonly<Record<string, (error: Error) => Answer | Promise<Answer>>> = {},
): Promise<Reply | Answer> {
  try {
    return await reply;
  } catch (thrown) {
    const error = withoutKeys(thrown instanceof Error ? thrown : new Error(String(thrown)));
    const answer = Object.hasOwn(answers, error.name) ? answers[error.name] : undefined;
    if (answer) return await answer(error);
    // The provider of credentials has thrown an error of this project.
    throw error instanceof PerennialError ? error : translated(error, call);
  }
}

/** Error names of throttling. `LimitExceededException` is not one of them, because it is a quota at ACM and Secrets Manager. */
const throttling = new Set([
  'BandwidthLimitExceeded',
  'ExecutionLimitExceeded',
  'KMSThrottlingException',
  'KmsThrottlingException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'ServiceUnavailable',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** Error codes for no reply at all, after the retries of the SDK. */
const unanswered = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Error names of denied calls. */
const denied = new Set(['AccessDenied', 'AccessDeniedException', 'NotAuthorized', 'UnauthorizedOperation']);

/** Error names for a KMS key that is denied, disabled or deleted, of Secrets Manager and of DynamoDB, Lambda and Step Functions. */
const ofKey = /^(?:DecryptionFailure|EncryptionFailure|K(?:MS|ms)(?!Throttling)\w*Exception)$/;

/** Error names for credentials that are missing, expired or invalid. */
export const ofCredentials = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);

/** What to do about errors that have the same cause at each service. */
const remedies: Readonly<Record<string, string>> = {
  // DynamoDB and Step Functions. Callers that expect a missing resource handle the error themselves.
  ResourceNotFoundException: 'A resource of the stack is missing. Deploy the stack again.',
  StateMachineDoesNotExist: 'A workflow of the stack is missing. Deploy the stack again.',
  StateMachineDeleting:
    'The stack is being deleted or replaced. Start the renewal again when the deployment has ended.',
};

/** Translates an SDK error. The result names the call and the resource, and keeps the words of AWS and the cause. */
export function translated(cause: Error, call: Call): PerennialError {
  const { action, resource } = call;
  const { name, message } = cause;
  const why = `${name}: ${message}`;
  if (isThrottling(cause)) {
    const what = `${action} on ${resource} cannot be answered now.`;
    return new ThrottledError({ what, why, remedy: 'It is tried again.', ...call, cause });
  }
  if (denied.has(name)) return accessDenied(cause, call);
  if (ofKey.test(name)) return accessDenied(cause, call, { first: 'First see that the KMS key is enabled.' });
  if (ofCredentials.has(name)) {
    const first =
      "The credentials of the function's role are expired or invalid. A new function gets new ones. If the error repeats, see that the role exists.";
    return accessDenied(cause, call, { first });
  }
  const remedy = Object.hasOwn(remedies, name) ? remedies[name] : undefined;
  if (remedy !== undefined) return awsRefused(cause, call, remedy);
  return new UnexpectedError({ what: `${action} on ${resource} failed.`, why, ...call, cause });
}

/** Creates an `AwsRefusedError`. */
export function awsRefused(cause: Error, call: Call, remedy: string): AwsRefusedError {
  const what = `${call.action} on ${call.resource} was refused.`;
  return new AwsRefusedError({ what, why: `${cause.name}: ${cause.message}`, remedy, ...call, cause });
}

/** Creates an `AccessDeniedError`. `first` and `likely` tell the operator what to check before and besides the permissions, as sentences. */
export function accessDenied(
  cause: Error,
  call: Call,
  { first = '', likely = '' }: { readonly first?: string; readonly likely?: string } = {},
): AccessDeniedError {
  const { action, resource, role } = call;
  return new AccessDeniedError({
    what: `${action} on ${resource} was denied${role ? ` to role ${role}` : ''}.`,
    why: cause.message,
    remedy:
      `${first}${first && ' '}Allow it in ${role ? 'that' : "the function's"} role, and look for what else denies it: a permissions boundary, an organization ` +
      `policy, a resource policy, the policy of a KMS key.${likely}`,
    ...call,
    cause,
  });
}

function isThrottling(error: Error): boolean {
  if (throttling.has(error.name) || error.name === 'TimeoutError') return true;
  if ('code' in error && typeof error.code === 'string' && unanswered.has(error.code)) return true;
  const { httpStatusCode } = ('$metadata' in error ? error.$metadata : {}) as { httpStatusCode?: number };
  return httpStatusCode === 429 || (httpStatusCode !== undefined && httpStatusCode >= 500);
}

/** Removes PEM blocks, complete or cut, and their base64. AWS repeats a rejected value in some validation messages. */
function withoutKeys(error: Error): Error {
  const message = error.message
    .replaceAll(/-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g, '[PEM block]')
    .replaceAll(/LS0tLS1CRUdJ[A-Za-z0-9+/=_-]*/g, '[PEM block]');
  return message === error.message ? error : Object.assign(new Error(message), { name: error.name });
}
