import {
  AccountDoesNotExistError,
  AccountPausedError,
  AcmeProblemError,
  AlreadyReplacedError,
  BadCsrError,
  CaaError,
  CaBusyError,
  CaUnavailableError,
  ContactRefusedError,
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
import { linksOf } from './links.ts';
import { linkField, problemDocument } from './problem-document.ts';
import { excerpt, isRecord, type Reply, type Request, retryAfter, retryTime } from './replies.ts';

interface Kind {
  readonly error: new (details: ErrorDetails) => PerennialError;
  readonly remedy: string;
}

const namespace = 'urn:ietf:params:acme:error:';

const tooMany: Kind = {
  error: RateLimitedError,
  remedy: 'Retry when the limit allows it. Earlier attempts are rejected.',
};

const unavailable: Kind = { error: CaUnavailableError, remedy: 'Retry later.' };
const busy: Kind = { error: CaBusyError, remedy: 'The next attempt waits for that time.' };

const contactRefused: Kind = {
  error: ContactRefusedError,
  remedy: 'Set contact of the issuer to an e-mail address that the CA accepts, and deploy.',
};

/** The problem types that have a class of their own. RFC 8555 §6.7, RFC 9773, draft-ietf-acme-profiles */
const kinds: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    accountDoesNotExist: {
      error: AccountDoesNotExistError,
      remedy: 'Check that the account secret belongs to this directory. If it is deleted, a new account is registered.',
    },
    alreadyReplaced: { error: AlreadyReplacedError, remedy: 'Order without the certificate to replace.' },
    // acme-client has repeated the request five times.
    badNonce: unavailable,
    badCSR: { error: BadCsrError, remedy: 'Check the key type and the identifiers against what the CA issues.' },
    caa: { error: CaaError, remedy: 'Allow this CA in the CAA records of the identifier or of its parent domain.' },
    externalAccountRequired: {
      error: ExternalAccountRequiredError,
      remedy:
        'Set externalAccountBinding of the issuer to the ARN of a secret with the kid and hmacKey that the CA gave you.',
    },
    invalidContact: contactRefused,
    invalidProfile: { error: InvalidProfileError, remedy: 'Use a profile that the CA offers, or none.' },
    malformed: { error: MalformedError, remedy: 'The object may be deleted or in another state, or its URL is wrong.' },
    orderNotReady: { error: OrderNotReadyError, remedy: 'Read the order again and continue with its status.' },
    rateLimited: tooMany,
    rejectedIdentifier: {
      error: RejectedIdentifierError,
      remedy: 'Remove the identifier, or ask the CA for its reason.',
    },
    serverInternal: unavailable,
    unauthorized: { error: UnauthorizedError, remedy: 'Check what this account, or its authorizations, may do.' },
    unsupportedContact: contactRefused,
    unsupportedIdentifier: {
      error: UnsupportedIdentifierError,
      remedy: 'Remove the identifier. This CA does not support its type.',
    },
    userActionRequired: {
      error: UserActionRequiredError,
      remedy: 'Do what the CA asks for, which is usually to agree to new terms, and start the renewal again.',
    },
  }),
);

const badNonceType = `${namespace}badNonce`;

/** Tells whether a reply is badNonce. acme-client repeats the request with the nonce of this reply, at most five times. */
export function isBadNonce({ status, data }: Reply): boolean {
  return status === 400 && isRecord(data) && data.type === badNonceType;
}

/** The error for a reply that is not 2xx. */
export function problemError(reply: Reply, { issuer, what }: Request, now: Date): PerennialError {
  const given = problemDocument(reply.data);
  const limited = reply.status === 429 || given?.type === `${namespace}rateLimited`;
  const after = retryAfter(reply, now) ?? (limited ? retryTime(given?.detail ?? '', now) : null);
  const terms =
    given?.type === `${namespace}userActionRequired` ? linkField(linksOf(reply, 'terms-of-service')[0]) : null;
  const instance = given?.instance ?? terms ?? null;
  const problem: ProblemDocument = {
    ...(given ?? { type: 'about:blank' }),
    ...(instance === null ? {} : { instance }),
    status: reply.status,
    ...(after === null ? {} : { retryAfter: after }),
  };
  const said = given ? `It says: ${given.detail ?? 'no detail'}` : `It sent ${excerpt(reply.data)}`;
  const facts = [
    ...(given ? [given.type.replace(namespace, '')] : []),
    `HTTP ${reply.status}`,
    ...(problem.identifier ? [`for ${problem.identifier}`] : []),
    ...(after === null ? [] : [`retry after ${after} s`]),
    ...(instance === null ? [] : [`see ${instance}`]),
  ];
  const isPause = limited && after === null && pausedText.test(given?.detail ?? '');
  const { error: KindOfError, remedy } = isPause ? paused : kindOf(reply.status, given, after !== null);
  const why = `${said.replace(/[.\s]+$/, '')} (${facts.join(', ')}).`;
  const { identifier } = problem;
  return new KindOfError({ what: `${issuer} refused ${what}.`, why, remedy, issuer, identifier, problem });
}

/**
 * Boulder has no problem type for a paused account. It sends a rate limit without a time, whose text says so and has the link that ends the
 * pause. The token in the link is a credential, so messages do not show it. The action `accountLink` of the accounts workflow returns it.
 */
const pausedText = /temporarily prevented from requesting certificates|\bpaused\b/i;
const paused: Kind = {
  error: AccountPausedError,
  remedy:
    'The pause does not end automatically. Fix the cause of the failed validations, then end the pause at the link. Its token is ' +
    'not shown here. The action accountLink of the accounts workflow returns the whole link.',
};

/** "Contact us", "contact your account manager" or "contact help@ca.example", which say nothing about the contact of the account. */
const whomToContact =
  /\bcontact\s+((the|your|our|an?|customer|technical)\s+)*(us|support|sales|help|service|admin\w*|account manager|CA|team|provider|\S+@\S+|https?:\S+)/gi;

/**
 * The error for a rejected account, or for a rejected change of its contact. RFC 8555 has no problem type for a missing contact. Google Trust Services
 * sends `malformed`, whose text says so. Without this class the operator would replace a binding that is still valid.
 */
export function asContactRefused(error: unknown): unknown {
  if (!(error instanceof MalformedError)) return error;
  const detail = error.problem?.detail ?? '';
  if (!/\bcontacts?\b/i.test(detail.replace(whomToContact, ''))) return error;
  const { remedy } = contactRefused;
  return new ContactRefusedError({ ...error.explanation, ...error.fields, remedy, problem: error.problem });
}

/** Tells whether an error has a problem document of this type, such as `alreadyRevoked`. */
export function isProblem(
  error: unknown,
  type: string,
): error is PerennialError & { readonly problem: ProblemDocument } {
  return error instanceof PerennialError && error.problem?.type === `${namespace}${type}`;
}

/**
 * Problem types for replies without a problem document. Boulder sends `malformed` for 404 and 410, and Pebble sends them without a document, for
 * example for a deleted order. 429 is a rate limit. Other statuses do not come from a working ACME server.
 */
const byStatus: ReadonlyMap<number, string> = new Map([
  [404, 'malformed'],
  [410, 'malformed'],
  [429, 'rateLimited'],
]);

function kindOf(status: number, given: ProblemDocument | null, hasRetryAfter: boolean): Kind {
  const registered = given?.type.startsWith(namespace) ? given.type.slice(namespace.length) : '';
  const kind = kinds.get(given ? registered : (byStatus.get(status) ?? '')) ?? otherKind(status, given !== null);
  // A load balancer also sends 503 with a time as a rate limit (https://letsencrypt.org/docs/rate-limits, "Overall requests limit").
  return kind.error === CaUnavailableError && status >= 500 && hasRetryAfter ? busy : kind;
}

/** Statuses of pages with which a firewall rejects a client. */
const blockedStatuses: ReadonlySet<number> = new Set([401, 403]);

function otherKind(status: number, isProblemDocument: boolean): Kind {
  if (status >= 500) return unavailable;
  if (isProblemDocument)
    return { error: AcmeProblemError, remedy: 'See the documentation of the CA for this problem type.' };
  const blocked = 'If this repeats, ask the CA whether it blocks requests from AWS Lambda.';
  return { error: CaUnavailableError, remedy: blockedStatuses.has(status) ? blocked : 'Check the directory URL.' };
}
