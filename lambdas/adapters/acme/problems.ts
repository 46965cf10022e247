import {
  AccountDoesNotExistError,
  AccountPausedError,
  AcmeProblemError,
  AlreadyReplacedError,
  BadCsrError,
  CaaError,
  CaUnavailableError,
  type ErrorDetails,
  ExternalAccountRequiredError,
  InvalidProfileError,
  MalformedError,
  OrderNotReadyError,
  PerennialError,
  type ProblemDocument,
  RateLimitedError,
  RejectedIdentifierError,
  UnauthorizedError,
  UnsupportedIdentifierError,
  UserActionRequiredError,
} from '../../domain/contract/errors.ts';
import { excerpt, isRecord, type Reply, type Request, retryAfter, retryTime } from './replies.ts';

interface Kind {
  readonly error: new (details: ErrorDetails) => PerennialError;
  readonly remedy: string;
}

const namespace = 'urn:ietf:params:acme:error:';

const tooMany: Kind = {
  error: RateLimitedError,
  remedy: 'Try again when the limit allows it; tries before that are wasted.',
};

/** RFC 8555 §6.7, RFC 9773 and draft-ietf-acme-profiles: the types that somebody treats apart. */
const kinds: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    accountDoesNotExist: {
      error: AccountDoesNotExistError,
      remedy: 'Check that the account secret belongs to this directory; once it is deleted, a new account is made.',
    },
    alreadyReplaced: { error: AlreadyReplacedError, remedy: 'Order without naming the certificate to replace.' },
    badCSR: { error: BadCsrError, remedy: 'Check the key type and the identifiers against what the CA issues.' },
    caa: { error: CaaError, remedy: 'Allow this CA in the CAA records of the identifier or of the domain above it.' },
    externalAccountRequired: {
      error: ExternalAccountRequiredError,
      remedy:
        'Set externalAccountBinding of the issuer to the ARN of a secret with the kid and hmacKey that the CA gave you.',
    },
    invalidProfile: { error: InvalidProfileError, remedy: 'Use a profile that the CA offers, or none.' },
    malformed: { error: MalformedError, remedy: 'What it names may be gone or in another state, or its URL is wrong.' },
    orderNotReady: { error: OrderNotReadyError, remedy: 'Read the order again and go by its status.' },
    rateLimited: tooMany,
    rejectedIdentifier: { error: RejectedIdentifierError, remedy: 'Take the identifier out, or ask the CA why.' },
    serverInternal: { error: CaUnavailableError, remedy: 'Try again later.' },
    unauthorized: { error: UnauthorizedError, remedy: 'Check what this account, or its authorizations, may do.' },
    unsupportedIdentifier: {
      error: UnsupportedIdentifierError,
      remedy: 'Take the identifier out: this CA has no such type.',
    },
    userActionRequired: {
      error: UserActionRequiredError,
      remedy: 'Do what the CA asks for, as a rule agree to its changed terms, and run it again.',
    },
  }),
);

const badNonceType = `${namespace}badNonce`;

/** acme-client repeats the request itself, with the nonce of this reply, five times at most. */
export function isBadNonce({ status, data }: Reply): boolean {
  return status === 400 && isRecord(data) && data.type === badNonceType;
}

/** The named error for a reply that is not 2xx. */
export function problemError(reply: Reply, { issuer, what }: Request, now: Date): PerennialError {
  const given = problemDocument(reply.data);
  const limited = reply.status === 429 || given?.type === `${namespace}rateLimited`;
  const after = retryAfter(reply, now) ?? (limited ? retryTime(given?.detail ?? '', now) : null);
  const problem: ProblemDocument = {
    ...(given ?? { type: 'about:blank' }),
    status: reply.status,
    ...(after === null ? {} : { retryAfter: after }),
  };
  const said = given ? `It says: ${given.detail ?? 'no detail given'}` : `It sent ${excerpt(reply.data)}`;
  const facts = [
    ...(given ? [given.type.replace(namespace, '')] : []),
    `HTTP ${reply.status}`,
    ...(problem.identifier ? [`for ${problem.identifier}`] : []),
    ...(after === null ? [] : [`retry after ${after} s`]),
  ];
  const isPause = limited && after === null && pausedText.test(given?.detail ?? '');
  const { error: KindOfError, remedy } = isPause ? paused : kindOf(reply.status, given, after !== null);
  const why = `${said.replace(/[.\s]+$/, '')} (${facts.join(', ')}).`;
  const { identifier } = problem;
  return new KindOfError({ what: `${issuer} refused ${what}.`, why, remedy, issuer, identifier, problem });
}

/**
 * Boulder has no type for it: a rate limit without a time whose text says so, and whose link alone ends the pause. The link's
 * token lets whoever has it end the pause, so it is not in our text; the CA's own answer has it.
 */
const pausedText = /temporarily prevented from requesting certificates|\bpaused\b/i;
const paused: Kind = {
  error: AccountPausedError,
  remedy:
    'It does not end by itself. Mend what made so many validations of these names fail, then end the pause at the link, whose ' +
    'token is left out here: the CA sends it whole with each refused order.',
};

/** An error with a problem of this type, `alreadyRevoked`. */
export function isProblem(
  error: unknown,
  type: string,
): error is PerennialError & { readonly problem: ProblemDocument } {
  return error instanceof PerennialError && error.problem?.type === `${namespace}${type}`;
}

/**
 * Without a problem document: 404 and 410 are what Boulder calls malformed and Pebble sends bare (an order that is gone), and
 * 429 is a rate limit. Anything else did not come from an ACME server that works.
 */
const byStatus: ReadonlyMap<number, string> = new Map([
  [404, 'malformed'],
  [410, 'malformed'],
  [429, 'rateLimited'],
]);

function kindOf(status: number, given: ProblemDocument | null, told: boolean): Kind {
  // A load balancer's way to say it (https://letsencrypt.org/docs/rate-limits, "Overall requests limit"): a time to wait, so
  // nothing for the retries in place.
  if (status === 503 && told) return tooMany;
  const registered = given?.type.startsWith(namespace) ? given.type.slice(namespace.length) : '';
  const kind = kinds.get(given ? registered : (byStatus.get(status) ?? ''));
  if (kind) return kind;
  if (given && status < 500) return { error: AcmeProblemError, remedy: 'The CA documents this type of problem.' };
  return { error: CaUnavailableError, remedy: status < 500 ? 'Check the directory URL.' : 'Try again later.' };
}

/** A 2xx reply that is not what RFC 8555 promises. */
export function notAcme({ issuer, what }: Request, wanted: string, reply: Reply): CaUnavailableError {
  return new CaUnavailableError({
    what: `${issuer} answered ${what} with HTTP ${reply.status} but without ${wanted}.`,
    why: `It sent ${excerpt(reply.data)}.`,
    remedy: 'Check the directory URL, or try again later.',
    issuer,
    problem: { type: 'about:blank', status: reply.status },
  });
}

/** The problem that an order or a challenge carries; `null` when this is none. */
export function problemDocument(value: unknown): ProblemDocument | null {
  if (!isRecord(value) || typeof value.type !== 'string') return null;
  const { type, status, detail, identifier, subproblems } = value;
  const parts = Array.isArray(subproblems) ? subproblems.map(problemDocument).filter((part) => part !== null) : [];
  return {
    type: type.slice(0, 200),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof detail === 'string' ? { detail: safeText(detail) } : {}),
    ...(isRecord(identifier) && typeof identifier.value === 'string' ? { identifier: identifier.value } : {}),
    ...(parts.length > 0 ? { subproblems: parts } : {}),
  };
}

/** Queries of links go: Let's Encrypt's link to unpause an account carries a token there. 1,000 characters say enough. */
function safeText(detail: string): string {
  return detail.replace(/(https?:\/\/[^\s?]+)\?\S+/g, '$1?…').slice(0, 1000);
}
