import { AccessDeniedError, PerennialError, ThrottledError, UnexpectedError } from '../../domain/contract/errors.ts';

/** A call as messages name it: the IAM action, and the resource in words (`secret certificates/www`). */
export interface Call {
  readonly action: string;
  readonly resource: string;
  /** ARN of the role that made it, where that is not the function's own. */
  readonly role?: string | undefined;
}

/**
 * The reply of a call. An error named in `answers` is what that function makes of it; any other is thrown as one of ours.
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
    // What a client's credentials are made with has its own errors.
    throw error instanceof PerennialError ? error : translated(error, call);
  }
}

/** `LimitExceededException` is missing on purpose: at ACM and Secrets Manager it is a quota, which no waiting mends. */
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

/** No answer at all, after the SDK's own attempts. */
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

/** Secrets Manager reports a KMS key that it may not use, or that is disabled, by the last two. */
const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'NotAuthorized',
  'UnauthorizedOperation',
  'DecryptionFailure',
  'EncryptionFailure',
]);

/** An SDK error as one of ours: the call and the resource named, AWS's own words and the cause kept. */
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

/** `likely`: what the operator should check first, as sentences. */
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

/** AWS repeats a refused value in some validation messages: PEM blocks, whole or cut, and their base64 are taken out. */
function withoutKeys(error: Error): Error {
  const message = error.message
    .replaceAll(/-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g, '[PEM block]')
    .replaceAll(/LS0tLS1CRUdJ[A-Za-z0-9+/=_-]*/g, '[PEM block]');
  return message === error.message ? error : Object.assign(new Error(message), { name: error.name });
}
