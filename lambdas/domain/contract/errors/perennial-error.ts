/** RFC 7807 as RFC 8555 §6.7 uses it, reduced to what an operator or a later decision needs. */
export interface ProblemDocument {
  /** `urn:ietf:params:acme:error:…`, or `about:blank` where the server sent no problem document. */
  readonly type: string;
  /** HTTP status of the reply. */
  readonly status?: number;
  readonly detail?: string;
  /** The identifier that the problem is about, as ordered (`*.example.com` with its star). */
  readonly identifier?: string;
  /** Whole seconds to wait, from the `Retry-After` header in either form. */
  readonly retryAfter?: number;
  /** RFC 8555 §6.7.1. */
  readonly subproblems?: readonly ProblemDocument[];
}

/** What an error is about, for callers, events and the log. Code reads these fields and never the sentence. */
export interface ErrorFields {
  /** Name of the certificate. An error without it gets it from the run, when it leaves the function. */
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
  /** The name servers that are wrong, or the one that lacks a record. */
  readonly servers?: readonly string[];
  /** IAM action of the AWS call that failed, e.g. `route53:GetHostedZone`. */
  readonly action?: string;
  /** Resource of that call in words, e.g. `secret certificates/www`. */
  readonly resource?: string;
  /** ARN of the role that made the call, or that cannot be assumed. */
  readonly role?: string;
}

/** The three parts of a message, each one sentence or more. */
export interface Explanation {
  /** What failed. */
  readonly what: string;
  /** Why, with the words of the CA or of AWS. */
  readonly why?: string;
  /** What the operator has to do, or what happens next. */
  readonly remedy?: string;
}

/** `Needed`: the fields that an error of this class always has. */
export type ErrorDetails<Needed extends keyof ErrorFields = never> = Explanation &
  ErrorFields &
  Required<Pick<ErrorFields, Needed>> & {
    /** The CA's own problem document. */
    readonly problem?: ProblemDocument;
    readonly cause?: unknown;
  };

/**
 * Base class of all errors that a caller, Step Functions or the operator treats by name. The message is built here, once, and an error
 * is never changed: `with` makes another.
 */
export abstract class PerennialError<Needed extends keyof ErrorFields = never> extends Error {
  readonly fields: ErrorFields & Required<Pick<ErrorFields, Needed>>;
  readonly problem: ProblemDocument | undefined;
  readonly #details: ErrorDetails;

  constructor(details: ErrorDetails<Needed>) {
    const { what, why, remedy, problem, cause, ...fields }: ErrorDetails = details;
    const text = sentences({ what, why, remedy });
    super(
      fields.certificate ? `Certificate ${fields.certificate}: ${text}` : text,
      cause === undefined ? {} : { cause },
    );
    this.fields = fields as PerennialError<Needed>['fields'];
    this.problem = problem;
    this.#details = details;
  }

  get explanation(): Explanation {
    const { what, why, remedy } = this.#details;
    return { what, why, remedy };
  }

  /** An error of the same class with some details replaced. */
  with(details: Partial<ErrorDetails>): this {
    const SameClass = this.constructor as new (details: ErrorDetails) => this;
    return new SameClass({ ...this.#details, ...details });
  }
}

/** The parts as one text. The words of AWS often lack the full stop. */
export const sentences = ({ what, why, remedy }: Explanation): string =>
  [what, why, remedy].flatMap((part) => (part ? [/[.!?…:"']$/.test(part) ? part : `${part}.`] : [])).join(' ');
