import { AccessDeniedError, PerennialError, ThrottledError, UnexpectedError } from '../../domain/contract/errors.ts';

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
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
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

/** Error names of denied calls. Secrets Manager uses the last two for a KMS key that is denied or disabled. */
const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'NotAuthorized',
  'UnauthorizedOperation',
  'DecryptionFailure',
  'EncryptionFailure',
]);

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
  return new UnexpectedError({ what: `${action} on ${resource} failed.`, why, ...call, cause });
}

/** Creates an `AccessDeniedError`. `likely` tells the operator what to check first, as sentences. */
export function accessDenied(cause: Error, call: Call, likely = ''): AccessDeniedError {
  const { action, resource, role } = call;
  return new AccessDeniedError({
    what: `${action} on ${resource} was denied${role ? ` to role ${role}` : ''}.`,
    why: cause.message,
    remedy:
      `Allow it in ${role ? 'that' : "the function's"} role, and look for what else denies it: a permissions boundary, an organization ` +
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
