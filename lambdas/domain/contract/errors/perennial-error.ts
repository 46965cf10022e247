import { printable } from '../printable-text.ts';

/** A problem document (RFC 7807, RFC 8555 §6.7), reduced to the members that the operator or a later decision needs. */
export interface ProblemDocument {
  /** The type URN, `urn:ietf:params:acme:error:…`, or `about:blank` if the server sent no problem document. */
  readonly type: string;
  /** HTTP status of the reply. */
  readonly status?: number;
  readonly detail?: string;
  /** Link with which the CA asks the operator to act, without its query (RFC 8555 §6.7). */
  readonly instance?: string;
  /** The identifier that the problem is about, as ordered (a wildcard such as `*.example.com` includes `*.`). */
  readonly identifier?: string;
  /** Whole seconds to wait, from a `Retry-After` header with seconds or with a date. */
  readonly retryAfter?: number;
  /** Problems of single identifiers. RFC 8555 §6.7.1 */
  readonly subproblems?: readonly ProblemDocument[];
}

/** The subjects of an error, for callers, events and the log. Code reads these fields and never the message. */
export interface ErrorFields {
  /** Name of the certificate. If it is missing, the function adds it from its input before it throws the error. */
  readonly certificate?: string;
  readonly identifier?: string;
  /** `Issuer.name`. */
  readonly issuer?: string;
  /** URL of the order. */
  readonly order?: string;
  /** Name or ARN of the secret. */
  readonly secret?: string;
  /** AWS region. */
  readonly region?: string;
  /** Id of the hosted zone. */
  readonly zone?: string;
  /** The DNS record that the operator has to create, in zone file format. */
  readonly record?: string;
  /** Names of the record sets that could not be changed. */
  readonly recordNames?: readonly string[];
  /** The name servers that are wrong, or the name server without the record. */
  readonly servers?: readonly string[];
  /** IAM action of the AWS call that failed, e.g. `route53:GetHostedZone`. */
  readonly action?: string;
  /** Resource of that call in words, e.g. `secret certificates/www`. */
  readonly resource?: string;
  /** ARN of the role that made the call, or that cannot be assumed. */
  readonly role?: string;
}

/** The three parts of a message. Each has at least one sentence. */
export interface Explanation {
  /** The failure. */
  readonly what: string;
  /** The reason, with the message of the CA or of AWS. */
  readonly why?: string;
  /** The action that the operator has to take, or the next step of the workflow. */
  readonly remedy?: string;
}

/** The details of an error. `Needed` lists the fields that an error of this class always has. */
export type ErrorDetails<Needed extends keyof ErrorFields = never> = Explanation &
  ErrorFields &
  Required<Pick<ErrorFields, Needed>> & {
    /** The problem document of the CA. */
    readonly problem?: ProblemDocument;
    readonly cause?: unknown;
  };

/** Longest message of an error in characters. Only the log has more than `longestMessage` of `failure.ts`. */
const longestText = 10_000;
/** Longest field in characters. A URL has at most 2,048. */
const longestField = 2_100;

/**
 * Base class of all errors that a caller, Step Functions or the operator distinguishes by name. The constructor builds the message. An error does
 * not change afterwards, and `with` returns a new error. Message and fields may quote a CA, a DNS server or the input of an execution, so they have
 * printable characters only.
 */
export abstract class PerennialError<Needed extends keyof ErrorFields = never> extends Error {
  readonly fields: ErrorFields & Required<Pick<ErrorFields, Needed>>;
  readonly problem: ProblemDocument | undefined;
  readonly #details: ErrorDetails;

  constructor(details: ErrorDetails<Needed>) {
    const { what, why, remedy, problem, cause, ...fields }: ErrorDetails = details;
    const text = sentences({ what, why, remedy });
    super(
      printable(fields.certificate ? `Certificate ${fields.certificate}: ${text}` : text, longestText),
      cause === undefined ? {} : { cause },
    );
    this.fields = printableFields(fields) as PerennialError<Needed>['fields'];
    this.problem = problem;
    this.#details = details;
  }

  get explanation(): Explanation {
    const { what, why, remedy } = this.#details;
    return { what, why, remedy };
  }

  /** Returns an error of the same class with some details replaced. */
  with(details: Partial<ErrorDetails>): this {
    const SameClass = this.constructor as new (details: ErrorDetails) => this;
    return new SameClass({ ...this.#details, ...details });
  }
}

function printableFields(fields: ErrorFields): ErrorFields {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean);
    return typeof value === 'string' ? printable(value, longestField) : value;
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, clean(value)]));
}

/** Joins the parts of a message. Adds a full stop to each part that has none, because messages of AWS often end without one. */
export const sentences = ({ what, why, remedy }: Explanation): string =>
  [what, why, remedy].flatMap((part) => (part ? [/[.!?…:"']$/.test(part) ? part : `${part}.`] : [])).join(' ');
